Feature: Holding an order whose shipment is asked for
  Shipping is asked to stop, and decides whether the hold comes in time; the release asks for another shipment.

  Background:
    Given there are 10 TEA
    And ada orders 2 TEA
    And the order is waiting for dispatch

  Scenario: A shipment that has not left is stopped, and another goes with the release
    When somebody holds the order for ADDRESS_CHECK
    Then the order is held for "ADDRESS_CHECK"
    And the order waits for RELEASE
    When somebody releases the order from ADDRESS_CHECK
    Then the order waits for DISPATCH, of which shipping says "It is there, and has not left."
    When the warehouse dispatches the newest shipment of the order
    Then the order ends as COMPLETED
    And of TEA 8 are on hand and 8 are available

  Scenario: A shipment that left is not held
    When the warehouse dispatches the order
    And somebody holds the order for ADDRESS_CHECK
    Then the call is refused with ORDER_NOT_HOLDABLE
    And the order ends as COMPLETED

  Scenario: A shipment that is stopped is cancelled without it
    When somebody holds the order for ADDRESS_CHECK
    And ada cancels the order
    Then the order ends as CANCELLED because of CANCEL_REQUESTED
    And of TEA 10 are on hand and 10 are available
    And nothing is held for the order
