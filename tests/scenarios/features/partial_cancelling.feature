Feature: Cancelling a part
  Pieces that have not left may be cancelled; shipping decides what has left.

  Background:
    Given there are 10 TEA and 10 CUP

  Scenario: Some pieces of one line
    Given ada orders 4 TEA and 2 CUP
    And the order is waiting for dispatch
    When ada cancels 3 of line 1 of the order
    Then 3 of line 1 of the order is cancelled
    And the order costs 30.00 and 15.00 of it is due
    And of TEA 10 are on hand and 9 are available
    And a shipment of the order is waiting for dispatch
    When the warehouse dispatches the newest shipment of the order
    Then the order ends as COMPLETED
    And in all 15.00 was taken for the order

  Scenario: All pieces of all lines end the order
    Given ada orders 4 TEA
    And the order is waiting for dispatch
    When ada cancels 4 of line 1 of the order
    Then the order ends as CANCELLED because of CANCEL_REQUESTED
    And of TEA 10 are on hand and 10 are available
    And the provider took nothing for the order

  Scenario: More than there is
    Given ada orders 4 TEA
    And the order is waiting for dispatch
    When ada cancels 5 of line 1 of the order
    Then the call is refused with CANCEL_EXCEEDS_LEFT
    And of TEA 10 are on hand and 6 are available

  Scenario: Of what has left
    Given ada has bought 4 TEA
    When ada cancels 1 of line 1 of the order
    Then the call is refused with ORDER_NOT_CANCELLABLE

  Scenario: Sent twice is done once
    Given ada orders 4 TEA
    And the order is waiting for dispatch
    When ada cancels 1 of line 1 of the order
    And the same call is made again
    Then 1 of line 1 of the order is cancelled
    And of TEA 10 are on hand and 7 are available
