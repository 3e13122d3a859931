Feature: Refunds with shipping, and out of goodwill

  Background:
    Given there are 10 TEA
    And ada orders these lines with 4.00 for shipping
      | sku | quantity | price |
      | TEA | 4        | 5.00  |
    And the order is waiting for dispatch

  Scenario: A part of the shipping charge goes with the pieces
    When the warehouse dispatches the order
    Then the order ends as COMPLETED
    When ada is refunded for 1 of line 1 of the order with its share of shipping
    Then 6.00 of the order is refunded
    When ada is refunded for 3 of line 1 of the order with its share of shipping
    Then 24.00 of the order is refunded
    And the payment of the order is REFUNDED

  Scenario: Goodwill counts to what was taken
    When the warehouse dispatches the order
    Then the order ends as COMPLETED
    When ada is refunded 20.00 of the order out of goodwill
    Then 20.00 of the order is refunded
    When ada is refunded 5.00 of the order out of goodwill
    Then the call is refused with REFUND_EXCEEDS_CAPTURED
