Feature: Sending in parts
  What is there may leave before the rest. Each shipment is paid by itself, the shipping charge with the first, and all of
  them together cost what the order costs.

  Scenario: Two shipments, two captures
    Given there are 2 TEA
    When ada orders 3 TEA in parts under BACKORDER
    Then shipment 1 of the order is waiting for dispatch
    When the warehouse dispatches shipment 1 of the order
    Then the goods of the order are PARTIALLY_SHIPPED
    When 1 TEA come in
    Then shipment 2 of the order is waiting for dispatch
    When the warehouse dispatches shipment 2 of the order
    Then the order ends as COMPLETED
    And the provider did for the order:
      | operation | amount |
      | authorize | 15.00  |
      | capture   | 10.00  |
      | capture   | 5.00   |
    And of TEA 0 are on hand and 0 are available

  Scenario: The rest is given up after its time
    Given there are 2 TEA
    When ada orders 3 TEA in parts under BACKORDER that expires after 4 s
    Then shipment 1 of the order is waiting for dispatch
    When the warehouse dispatches shipment 1 of the order
    Then the order ends as COMPLETED
    And 1 of line 1 of the order is cancelled
    And the order costs 15.00 and 10.00 of it is due

  Scenario: The rest is cancelled by the customer
    Given there are 2 TEA
    When ada orders 3 TEA in parts under BACKORDER
    Then shipment 1 of the order is waiting for dispatch
    When the warehouse dispatches shipment 1 of the order
    Then the goods of the order are PARTIALLY_SHIPPED
    When ada cancels 1 of line 1 of the order
    Then the order ends as COMPLETED
    And 1 of line 1 of the order is cancelled

  Scenario: Without leave to be sent in parts it is sent as a whole
    Given there are 2 TEA
    When ada orders 3 TEA under BACKORDER
    Then the goods of the order are BACKORDERED
    And the order waits for BACKORDER
    And nothing was asked of the warehouse for the order
