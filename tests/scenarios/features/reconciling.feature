Feature: Payments compared with the provider
  What the provider holds or took and no payment knows of is found; what can be mended without a person is.

  Background:
    Given there are 10 TEA
    And ada orders 2 TEA by pm_card_visa as order A
    And order A is waiting for dispatch

  Scenario: Nothing differs
    When payments are compared with the provider
    Then nothing differs for order A

  Scenario: What nobody asked for is let go of, and what is gone is told
    Given at Stripe 10.00 is held for order A by somebody else
    And at Stripe 7.00 is held for order X by somebody else
    And bob orders 1 TEA by pm_card_visa as order B
    And order B is waiting for dispatch
    And somebody lets go at Stripe of what is held for order B
    When payments are compared with the provider and mended
    Then HELD_TWICE is found for order A, and is mended
    And UNKNOWN_ORDER is found for order X, and is mended
    And HOLD_GONE is found for order B, and is left to a person
    And at Stripe 10.00 is held for order A, 0.00 taken and 0.00 given back
    And at Stripe 0.00 is held for order X, 0.00 taken and 0.00 given back
