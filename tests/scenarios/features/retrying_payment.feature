Feature: Another try to pay
  An order may keep its stock for a while after its payment was declined, and take another token.

  Background:
    Given there are 10 TEA

  Scenario: Another token works
    When ada orders 2 TEA by tok_decline and may pay again within 60 s
    Then the payment of the order is RETRY
    And of TEA 10 are on hand and 8 are available
    When ada pays the order by tok_ok
    Then the order is waiting for dispatch
    When the warehouse dispatches the order
    Then the order ends as COMPLETED
    And the provider did for the order:
      | operation | amount |
      | authorize | 10.00  |
      | capture   | 10.00  |

  Scenario: Another token is declined too
    When ada orders 2 TEA by tok_decline and may pay again within 60 s
    Then the payment of the order is RETRY
    When ada pays the order by tok_decline
    Then the payment of the order is RETRY
    When ada cancels the order
    Then the order ends as CANCELLED
    And of TEA 10 are on hand and 10 are available

  Scenario: Nobody pays in time
    When ada orders 2 TEA by tok_decline and may pay again within 2 s
    Then the order ends as CANCELLED
    And the provider took nothing for the order
    And of TEA 10 are on hand and 10 are available

  Scenario: A payment that is sent twice is one payment
    When ada orders 2 TEA by tok_decline and may pay again within 60 s
    Then the payment of the order is RETRY
    When ada pays the order by tok_flaky
    And the same call is made again
    Then the order is waiting for dispatch
    And the provider did for the order:
      | operation | amount |
      | authorize | 10.00  |

  Scenario: An order that waits for no token takes none
    Given ada has bought 2 TEA
    When ada pays the order by tok_ok
    Then the call is refused with PAYMENT_NOT_UPDATABLE
