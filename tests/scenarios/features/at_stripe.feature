Feature: Money at Stripe
  What an order does is done at Stripe once, whatever becomes of Stripe's answers.

  Background:
    Given there are 10 TEA

  Scenario: Held, then taken, then some of it given back
    Given ada orders 2 TEA by pm_card_visa
    And the order is waiting for dispatch
    Then at Stripe 10.00 is held for the order, 0.00 taken and 0.00 given back
    When the warehouse dispatches the order
    Then the order ends as COMPLETED
    And at Stripe 0.00 is held for the order, 10.00 taken and 0.00 given back
    When ada is refunded 4.00 of the order
    Then 4.00 of the order is refunded
    And at Stripe 0.00 is held for the order, 10.00 taken and 4.00 given back

  Scenario: A card that is declined
    When ada orders 2 TEA by pm_card_visa_chargeDeclined
    Then the order ends as CANCELLED because of PAYMENT_DECLINED
    And at Stripe 0.00 is held for the order, 0.00 taken and 0.00 given back
    And of TEA 10 are on hand and 10 are available

  Scenario: A cancelled order holds nothing
    Given ada orders 2 TEA by pm_card_visa
    And the order is waiting for dispatch
    When ada cancels the order
    Then the order ends as CANCELLED because of CANCEL_REQUESTED
    And at Stripe 0.00 is held for the order, 0.00 taken and 0.00 given back

  Scenario: More of it holds more
    Given ada orders 2 TEA by pm_card_visa
    And the order is waiting for dispatch
    When ada amends the order to 3 TEA
    Then the order costs 15.00
    And at Stripe 15.00 is held for the order, 0.00 taken and 0.00 given back

  Scenario: Answers that are lost on their way
    Given the answer to the next create at Stripe is lost
    And ada orders 2 TEA by pm_card_visa
    And the order is waiting for dispatch
    And the answer to the next capture at Stripe is lost
    When the warehouse dispatches the order
    Then the order ends as COMPLETED
    And at Stripe 0.00 is held for the order, 10.00 taken and 0.00 given back
    When payments are compared with the provider
    Then nothing differs for the order
