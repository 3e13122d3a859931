Feature: Returns and refunds
  What was shipped can come back in parts, and what was taken can be given back in parts; never more than that, and a
  piece is paid back once.

  Background:
    Given there are 10 TEA
    And ada has bought 4 TEA at 4.99 each

  Scenario: Goods come back in two parts
    When ada returns 1 of line 1 of the order
    Then 4.99 of the order is refunded
    And the payment of the order is PARTIALLY_REFUNDED
    When ada returns 3 of line 1 of the order
    Then 19.96 of the order is refunded
    And the payment of the order is REFUNDED
    And the goods of the order are RETURNED
    And the provider did for the order:
      | operation | amount |
      | authorize | 19.96  |
      | capture   | 19.96  |
      | refund    | 4.99   |
      | refund    | 14.97  |

  Scenario: What can be sold again is sold again
    When ada returns 3 of line 1 of the order for sale
    Then of TEA 9 are on hand and 9 are available
    When bob orders 9 TEA as order B
    Then order B is waiting for dispatch

  Scenario: What cannot be sold again stays away
    When ada returns 3 of line 1 of the order
    Then 14.97 of the order is refunded
    And of TEA 6 are on hand and 6 are available

  Scenario: More than was shipped does not come back
    When ada returns 3 of line 1 of the order
    And ada returns 2 of line 1 of the order
    Then the call is refused with RETURN_EXCEEDS_SHIPPED
    And 14.97 of the order is refunded

  Scenario: A line that the order has not
    When ada returns 1 of line 7 of the order
    Then the call is refused with LINE_NOT_FOUND

  Scenario: A return that is sent twice is one return
    When ada returns 1 of line 1 of the order for sale
    And the same call is made again
    Then 4.99 of the order is refunded
    And of TEA 7 are on hand and 7 are available

  Scenario: A refund that is sent twice is one refund
    When ada is refunded 5.00 of the order
    And the same call is made again
    Then 5.00 of the order is refunded
    And the provider did for the order:
      | operation | amount |
      | authorize | 19.96  |
      | capture   | 19.96  |
      | refund    | 5.00   |

  Scenario: Two refunds are two refunds
    When ada is refunded 5.00 of the order
    And ada is refunded 5.00 of the order
    Then 10.00 of the order is refunded

  Scenario: A request id that is used again for something else
    When ada is refunded 5.00 of the order
    And the same request id is used to refund 6.00
    Then the call is refused with REQUEST_ID_REUSED
    And 5.00 of the order is refunded

  Scenario: No more is given back than was taken
    When ada is refunded 19.97 of the order
    Then the call is refused with REFUND_EXCEEDS_CAPTURED
    When ada is refunded 10.00 of the order
    And ada is refunded 9.97 of the order
    Then the call is refused with REFUND_EXCEEDS_CAPTURED
    When ada is refunded 9.96 of the order
    Then 19.96 of the order is refunded
    And the payment of the order is REFUNDED

  Scenario: A piece that was refunded is not paid back again when it comes back
    When ada is refunded for 2 of line 1 of the order
    Then 9.98 of the order is refunded
    When ada returns 4 of line 1 of the order for sale
    Then 19.96 of the order is refunded
    And of TEA 10 are on hand and 10 are available

  Scenario: Pieces that do not divide evenly add up to the line
    Given bob orders these lines as order B
      | sku | quantity | price | discount |
      | TEA | 3        | 3.34  | 0.02     |
    And order B is waiting for dispatch
    When the warehouse dispatches order B
    Then order B ends as COMPLETED
    When bob returns 1 of line 1 of order B
    And bob returns 1 of line 1 of order B
    And bob returns 1 of line 1 of order B
    Then 10.00 of order B is refunded
    And the payment of order B is REFUNDED

  Scenario: What was not shipped cannot come back
    Given bob orders 2 TEA as order B
    And order B is waiting for dispatch
    When bob returns 1 of line 1 of order B
    Then the call is refused with ORDER_NOT_RETURNABLE
    When bob is refunded 1.00 of order B
    Then the call is refused with ORDER_NOT_REFUNDABLE
