Feature: Counting stock
  What was counted is what there is; what is promised stays promised. Every movement of a SKU can be read.

  Scenario: A count sets what is on hand
    Given there are 10 TEA
    When 7 TEA are counted
    Then of TEA 7 are on hand and 7 are available

  Scenario: A count that is told twice counts once
    Given there are 10 TEA
    When 7 TEA are counted
    And the same call is made again
    And 5 TEA come in
    Then of TEA 12 are on hand and 12 are available

  Scenario: Fewer than are promised
    Given there are 10 TEA
    And ada orders 4 TEA
    And the order is waiting for dispatch
    When 3 TEA are counted
    Then the call is refused with STOCK_BELOW_RESERVED
    And of TEA 10 are on hand and 6 are available

  Scenario: Every movement is listed, and adds up
    Given there are 10 TEA
    And ada has bought 4 TEA
    When ada returns 1 of line 1 of the order for sale
    And 5 TEA are counted
    Then the movements of TEA are:
      | kind      | quantity | on hand | reserved |
      | RECEIVED  | 10       | 10      | 0        |
      | RESERVED  | 4        | 10      | 4        |
      | COMMITTED | 4        | 6       | 0        |
      | RESTOCKED | 1        | 7       | 0        |
      | COUNTED   | 5        | 5       | 0        |

  Scenario: Paid for, but not there
    Given there are 3 TEA
    And ada orders 3 TEA
    And the order is waiting for dispatch
    When 1 TEA are counted and a shortage is allowed
    Then of TEA 3 are on hand, 0 are available and 2 are short
    And the payment of the order is AUTHORIZED
    When ada cancels the order
    Then the order ends as CANCELLED because of CANCEL_REQUESTED
    And of TEA 1 are on hand, 1 are available and 0 are short
    And the provider did for the order:
      | operation | amount |
      | authorize | 15.00  |
      | void      | 15.00  |

  Scenario: Paid for, and only a part is there
    Given there are 3 TEA
    And ada orders 3 TEA
    And the order is waiting for dispatch
    When 1 TEA are counted and a shortage is allowed
    And ada cancels 2 of line 1 of the order
    Then of TEA 1 are on hand, 0 are available and 0 are short
    And a shipment of the order is waiting for dispatch
    When the warehouse dispatches the newest shipment of the order
    Then the order ends as COMPLETED
    And in all 5.00 was taken for the order
    And nothing is held for the order
    And of TEA 0 are on hand, 0 are available and 0 are short

  Scenario: What comes in takes the place of what is missing
    Given there are 3 TEA
    And ada orders 3 TEA
    And the order is waiting for dispatch
    When 1 TEA are counted and a shortage is allowed
    And 4 TEA come in
    Then of TEA 5 are on hand, 2 are available and 0 are short
