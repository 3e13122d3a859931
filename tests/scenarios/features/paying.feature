Feature: Paying
  Money is held before the goods leave and taken when they have left: once, whatever the provider's answers did on their
  way.

  Background:
    Given there are 10 TEA

  Scenario: The money is taken when the goods leave
    Given ada orders 2 TEA at 4.99 each
    And the order is waiting for dispatch
    Then the payment of the order is AUTHORIZED
    And the provider did for the order:
      | operation | amount |
      | authorize | 9.98   |
    When the warehouse dispatches the order
    Then the order ends as COMPLETED
    And the payment of the order is CAPTURED
    And the provider did for the order:
      | operation | amount |
      | authorize | 9.98   |
      | capture   | 9.98   |

  Scenario: A declined payment gives the stock back
    When ada orders 2 TEA by tok_decline
    Then the order ends as CANCELLED because of PAYMENT_DECLINED
    And the payment of the order is DECLINED
    And of TEA 10 are on hand and 10 are available
    And the provider took nothing for the order

  Scenario: A provider whose answers are lost charges once
    Given there are 100 CUP
    When orders of 1 CUP by tok_flaky are bought until the answer to a capture that took effect is lost
    Then the provider did for each of them:
      | operation | amount |
      | authorize | 5.00   |
      | capture   | 5.00   |

  Scenario: A slow provider is waited for
    Given ada has bought 2 TEA by tok_slow
    Then the order ends as COMPLETED
    And the provider did for the order:
      | operation | amount |
      | authorize | 10.00  |
      | capture   | 10.00  |

  Scenario: Discount, tax and shipping are part of the total
    When ada orders these lines with 3.50 for shipping
      | sku | quantity | price | discount | tax  |
      | TEA | 3        | 4.99  | 1.00     | 2.79 |
      | TEA | 1        | 0.01  |          |      |
    Then the order costs 20.27
    And the order is waiting for dispatch
    And the provider did for the order:
      | operation | amount |
      | authorize | 20.27  |

  Scenario: An order that is free
    Given ada has bought 2 TEA at 0.00 each
    Then the order ends as COMPLETED
