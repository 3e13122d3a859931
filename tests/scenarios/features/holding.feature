Feature: Holds
  A held order does not go on to its next step; what was asked before may be answered. It goes on when the last hold is
  released, once.

  Background:
    Given there are 10 TEA

  Scenario: A hold while the money is authorised
    When somebody holds an order of 2 TEA by ada for ADDRESS_CHECK while its payment is authorised
    Then the order is held for "ADDRESS_CHECK"
    And the payment of the order is AUTHORIZED
    And the order waits for RELEASE
    And nothing was asked of the warehouse for the order
    And the timeline of the order says "OrderHeld" before "OrderConfirmed"
    When somebody releases the order from ADDRESS_CHECK
    Then the order is held for "nothing"
    And the order is waiting for dispatch

  Scenario: The last of several releases makes it go on
    When somebody holds an order of 2 TEA by ada for ADDRESS_CHECK while its payment is authorised
    And somebody holds the order for CALL_CUSTOMER
    Then the order is held for "ADDRESS_CHECK, CALL_CUSTOMER"
    When somebody releases the order from ADDRESS_CHECK
    Then the order is held for "CALL_CUSTOMER"
    And the payment of the order is AUTHORIZED
    And the order waits for RELEASE
    And nothing was asked of the warehouse for the order
    When somebody releases the order from CALL_CUSTOMER
    Then the order is waiting for dispatch

  Scenario: A held order may be cancelled
    When somebody holds an order of 2 TEA by ada for ADDRESS_CHECK while its payment is authorised
    And ada cancels the order
    Then the order ends as CANCELLED because of CANCEL_REQUESTED
    And the order is held for "nothing"
    And of TEA 10 are on hand and 10 are available
    And the provider took nothing for the order

  Scenario: A hold that is not there
    Given ada orders 2 TEA
    When somebody releases the order from ADDRESS_CHECK
    Then the call is refused with HOLD_NOT_FOUND

  Scenario: A hold that is sent twice is one hold
    When somebody holds an order of 2 TEA by ada for ADDRESS_CHECK while its payment is authorised
    And the same call is made again
    Then the order is held for "ADDRESS_CHECK"
    When somebody releases the order from ADDRESS_CHECK
    Then the order is waiting for dispatch
