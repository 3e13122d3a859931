Feature: Exchanges
  Goods come back and another order goes out in their stead: two orders that name each other, done once.

  Background:
    Given there are 10 TEA and 10 CUP
    And ada has bought 2 TEA

  Scenario: A new order in exchange
    When ada exchanges 1 of line 1 of the order for 1 CUP as order B
    Then order B is in exchange of the order
    And order B is waiting for dispatch
    And the return of the order is AUTHORIZED

  Scenario: Sent twice is one exchange
    When ada exchanges 1 of line 1 of the order for 1 CUP as order B
    And the same call is made again
    Then order B is in exchange of the order
    And order B is waiting for dispatch
    And of CUP 10 are on hand and 9 are available

  Scenario: A replacement that cannot be
    When ada exchanges 1 of line 1 of the order for a piece at -1.00
    Then the call is refused with INVALID_REQUEST for replacement.lines[0].unit_price
    And of TEA 8 are on hand and 8 are available

  Scenario: More than was bought
    When ada exchanges 3 of line 1 of the order for 1 CUP as order B
    Then the call is refused with RETURN_EXCEEDS_SHIPPED
    And of CUP 10 are on hand and 10 are available
