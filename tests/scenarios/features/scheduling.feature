Feature: Orders for later
  A scheduled order asks for nothing before its time.

  Background:
    Given there are 5 TEA

  Scenario: Nothing is held before its time
    When ada orders 2 TEA for in 3600 s
    Then the order is SCHEDULED
    And the order waits for TIME
    And of TEA 5 are on hand and 5 are available
    And the provider took nothing for the order

  Scenario: It goes on when its time comes
    When ada orders 2 TEA for in 3 s
    Then the order is waiting for dispatch
    And of TEA 5 are on hand and 3 are available
    And the order asked for nothing before its time

  Scenario: It is cancelled before its time
    When ada orders 2 TEA for in 3600 s
    And ada cancels the order
    Then the order ends as CANCELLED because of CANCEL_REQUESTED
    And of TEA 5 are on hand and 5 are available

  Scenario: It is amended before its time
    When ada orders 2 TEA for in 3 s
    And ada amends the order to 3 TEA
    Then the order costs 15.00
    And the order is waiting for dispatch
    And of TEA 5 are on hand and 2 are available

  Scenario: More than a year ahead is refused
    When ada orders 2 TEA for in 31968000 s
    Then the call is refused with INVALID_REQUEST for order.not_before
