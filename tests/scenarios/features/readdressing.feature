Feature: Another address
  Before anything leaves an order may go elsewhere: a shipment that was made is stopped, and another one is made.

  Background:
    Given there are 10 TEA
    And ada orders 2 TEA to be sent to "1 Old Street"
    And the order is waiting for dispatch

  Scenario: It goes where the customer said last
    When ada has the 2 TEA of the order sent to "2 New Street"
    Then a shipment of the order is waiting for dispatch
    And the newest shipment of the order goes to "2 New Street"
    When the warehouse dispatches the newest shipment of the order
    Then the order ends as COMPLETED
    And in all 10.00 was taken for the order
    And of TEA 8 are on hand and 8 are available

  Scenario: It has left
    When the warehouse dispatches the order
    And ada has the 2 TEA of the order sent to "2 New Street"
    Then the call is refused with ORDER_NOT_AMENDABLE
    And the newest shipment of the order goes to "1 Old Street"
