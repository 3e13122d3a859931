Feature: Backorders
  An order may wait for what is missing. Who came first is served first, whatever comes in and whoever wants less.

  Scenario: What is missing is waited for
    Given there are 1 TEA
    When ada orders 3 TEA under BACKORDER
    Then the goods of the order are BACKORDERED
    And the provider took nothing for the order
    When 2 TEA come in
    Then the order is waiting for dispatch
    When the warehouse dispatches the order
    Then the order ends as COMPLETED
    And the provider did for the order:
      | operation | amount |
      | authorize | 15.00  |
      | capture   | 15.00  |

  Scenario: Who came first is served first
    Given there are 1 TEA
    And ada orders 5 TEA under BACKORDER as order A
    And the goods of order A are BACKORDERED
    And bob orders 1 TEA under BACKORDER as order B
    And the goods of order B are BACKORDERED
    When 1 TEA come in
    Then the goods of order B are BACKORDERED
    When 3 TEA come in
    Then order A is waiting for dispatch
    And the goods of order B are BACKORDERED
    When 1 TEA come in
    Then order B is waiting for dispatch
    And of TEA 6 are on hand and 0 are available

  Scenario: An order that does not wait does not overtake those that do
    Given there are 1 TEA
    And ada orders 3 TEA under BACKORDER as order A
    And the goods of order A are BACKORDERED
    When 1 TEA come in
    And bob orders 1 TEA as order B
    Then order B ends as REJECTED because of OUT_OF_STOCK
    And the goods of order A are BACKORDERED

  Scenario: Who stops waiting leaves the queue
    Given there are 1 TEA
    And ada orders 3 TEA under BACKORDER as order A
    And the goods of order A are BACKORDERED
    And bob orders 1 TEA under BACKORDER as order B
    And the goods of order B are BACKORDERED
    When ada cancels order A
    Then order A ends as CANCELLED because of CANCEL_REQUESTED
    And order B is waiting for dispatch
    And of TEA 1 are on hand and 0 are available

  Scenario: A wait that is over ends the order
    Given there are 1 TEA
    When ada orders 3 TEA under BACKORDER that expires after 3 s
    Then the order ends as CANCELLED because of BACKORDER_EXPIRED
    And the timeline of the order says "waits for stock that is not there yet"
    And of TEA 1 are on hand and 1 are available
    And the provider took nothing for the order

  Scenario: Two orders that hold what the other one wants
    Given TEA and CUP are kept in different partitions
    And there are 1 TEA and 1 CUP
    And ada orders 1 TEA and 2 CUP under BACKORDER that expires after 4 s as order A
    And the timeline of order A says "waits for stock that is not there yet"
    And bob orders 2 TEA and 1 CUP under BACKORDER that expires after 600 s as order B
    And the goods of order B are BACKORDERED
    Then order A ends as CANCELLED because of BACKORDER_EXPIRED
    When 1 TEA come in
    Then order B is waiting for dispatch

  Scenario: Goods that come back serve the queue
    Given there are 2 TEA
    And ada has bought 2 TEA as order A
    And bob orders 1 TEA under BACKORDER as order B
    And the goods of order B are BACKORDERED
    When ada returns 1 of line 1 of order A for sale
    Then order B is waiting for dispatch

  Scenario: A customer is told by when
    Given there are 1 TEA
    When ada orders 3 TEA under BACKORDER
    Then the goods of the order are BACKORDERED
    And the order says by when the rest is expected
