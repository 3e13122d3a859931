Feature: Amending an order
  Before anything leaves an order may become another: all of the amendment or nothing of it.

  Background:
    Given there are 10 TEA and 3 CUP

  Scenario: More of it
    Given ada orders 2 TEA
    And the order is waiting for dispatch
    When ada amends the order to 5 TEA
    Then the order costs 25.00
    And of TEA 10 are on hand and 5 are available
    And a shipment of the order is waiting for dispatch
    When the warehouse dispatches the newest shipment of the order
    Then the order ends as COMPLETED
    And in all 25.00 was taken for the order

  Scenario: Less of it
    Given ada orders 5 TEA
    And the order is waiting for dispatch
    When ada amends the order to 2 TEA
    Then the order costs 10.00
    And of TEA 10 are on hand and 8 are available
    And a shipment of the order is waiting for dispatch
    When the warehouse dispatches the newest shipment of the order
    Then the order ends as COMPLETED
    And in all 10.00 was taken for the order
    And nothing is held for the order

  Scenario: Something else as well
    Given ada orders 2 TEA
    And the order is waiting for dispatch
    When ada amends the order to 2 TEA and 1 CUP
    Then the order costs 15.00
    And of CUP 3 are on hand and 2 are available

  Scenario: More than there is leaves it as it was
    Given ada orders 2 TEA
    And the order is waiting for dispatch
    When ada amends the order to 1 TEA and 4 CUP
    Then the call is refused with AMENDMENT_REFUSED
    And the order costs 10.00
    And of TEA 10 are on hand and 8 are available
    And of CUP 3 are on hand and 3 are available
    And a shipment of the order is waiting for dispatch

  Scenario: Too late
    Given ada has bought 2 TEA
    When ada amends the order to 5 TEA
    Then the call is refused with ORDER_NOT_AMENDABLE

  Scenario: An older version
    Given ada orders 2 TEA
    And the order is waiting for dispatch
    When ada amends the order to 5 TEA at version 1
    Then the call is refused with ETAG_MISMATCH
    And the order costs 10.00

  Scenario: Sent twice is done once
    Given ada orders 2 TEA
    And the order is waiting for dispatch
    When ada amends the order to 5 TEA
    And the same call is made again
    Then the order costs 25.00
    And of TEA 10 are on hand and 5 are available

  Scenario: An amendment and a cancellation at the same moment leave nothing behind
    Given there are 20 POT
    When each of 10 orders of 1 POT is amended to 2 POT while it is cancelled
    Then each of them is cancelled and nothing stays held
    And of POT 20 are on hand and 20 are available
