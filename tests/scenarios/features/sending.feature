Feature: Sending goods
  A shipment leaves when the warehouse says so, and arrives when the carrier says so.

  Background:
    Given there are 10 TEA
    And ada orders 2 TEA
    And the order is waiting for dispatch

  Scenario: Dispatched, paid, delivered
    When the warehouse dispatches the order with tracking "RM 123"
    Then the order ends as COMPLETED
    And the goods of the order are SHIPPED
    And the timeline of the order says "RM 123, waits for capture"
    When the carrier delivers the order
    Then the goods of the order are DELIVERED

  Scenario: Delivered is not what was not dispatched
    When the carrier delivers the order
    Then the call is refused with SHIPMENT_NOT_DELIVERABLE
    And the goods of the order are ALLOCATED

  Scenario: A dispatch that is told twice is one dispatch
    When the warehouse dispatches the order with tracking "RM 123"
    And the same call is made again
    And the warehouse dispatches the order with tracking "RM 123"
    Then the order ends as COMPLETED
    And of TEA 8 are on hand and 8 are available

  Scenario: A dispatch with other tracking is refused
    When the warehouse dispatches the order with tracking "RM 123"
    And the warehouse dispatches the order with tracking "RM 456"
    Then the call is refused with SHIPMENT_NOT_DISPATCHABLE
