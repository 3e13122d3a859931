Feature: A part is better than nothing
  An order may be content with what is there: the rest is cancelled, and its money is never taken.

  Scenario: What is there is sent and paid, the rest is cancelled
    Given there are 2 TEA
    When ada orders 3 TEA under PARTIAL
    Then the order is waiting for dispatch
    And 1 of line 1 of the order is cancelled
    And the order costs 15.00 and 10.00 of it is due
    When the warehouse dispatches the order
    Then the order ends as COMPLETED
    And the provider did for the order:
      | operation | amount |
      | authorize | 10.00  |
      | capture   | 10.00  |
    And of TEA 0 are on hand and 0 are available

  Scenario: A line of which there is nothing
    Given there are 5 TEA
    When ada orders 2 TEA and 2 CUP under PARTIAL
    Then the order is waiting for dispatch
    And 2 of line 2 of the order is cancelled
    When the warehouse dispatches the order
    Then the order ends as COMPLETED
    And the provider did for the order:
      | operation | amount |
      | authorize | 10.00  |
      | capture   | 10.00  |

  Scenario: Nothing of anything
    When ada orders 3 TEA under PARTIAL
    Then the order ends as REJECTED because of OUT_OF_STOCK
    And the provider took nothing for the order
