Feature: Returns, step by step
  A return is authorised, received and inspected; what is refunded is what was inspected. Never more than was sent.

  Background:
    Given there are 10 TEA
    And ada has bought 4 TEA

  Scenario: What can be sold is restocked, what cannot is written off, both are refunded
    When ada may return 3 of line 1 of the order
    Then the return of the order is AUTHORIZED
    When 3 of line 1 of the return come back
    Then the return of the order is RECEIVED
    And 0.00 of the order is refunded
    When of line 1 of the return 2 can be sold and 1 cannot
    Then the return of the order is COMPLETED
    And 15.00 of the order is refunded
    And of TEA 8 are on hand and 8 are available

  Scenario: Parallel returns count together
    When ada may return 3 of line 1 of the order
    And ada may return 2 of line 1 of the order
    Then the call is refused with RETURN_EXCEEDS_SHIPPED

  Scenario: More comes than may come
    When ada may return 1 of line 1 of the order
    And 2 of line 1 of the return come back
    Then the call is refused with RETURN_EXCEEDS_AUTHORIZED

  Scenario: More is inspected than came
    When ada may return 2 of line 1 of the order
    And 1 of line 1 of the return come back
    And of line 1 of the return 2 can be sold and 0 cannot
    Then the call is refused with RETURN_EXCEEDS_RECEIVED

  Scenario: A cancelled return leaves the pieces to be returned otherwise
    When ada may return 3 of line 1 of the order
    And the return is cancelled
    Then the return of the order is CANCELLED
    When ada returns 4 of line 1 of the order for sale
    Then 20.00 of the order is refunded
    And of TEA 10 are on hand and 10 are available

  Scenario: What came is not cancelled
    When ada may return 2 of line 1 of the order
    And 1 of line 1 of the return come back
    And the return is cancelled
    Then the call is refused with RETURN_NOT_CANCELLABLE
