Feature: Who holds how much, and since when
  Stock that is promised is promised to somebody: of every SKU one can read to whom, the newest first.

  Background:
    Given there are 10 TEA
    And ada orders 2 TEA as order A
    And order A is waiting for dispatch
    And bob orders 3 TEA as order B
    And order B is waiting for dispatch

  Scenario: Orders that hold some of a SKU
    Then the reservations of TEA are:
      | order   | quantity | state |
      | order B | 3        | OPEN  |
      | order A | 2        | OPEN  |
    When ada cancels order A
    Then the reservations of TEA are:
      | order   | quantity | state |
      | order B | 3        | OPEN  |

  Scenario: Those that are old
    Then the reservations of TEA that are older than 1 s are:
      | order   | quantity | state |
      | order B | 3        | OPEN  |
      | order A | 2        | OPEN  |
    And the reservations of TEA that are older than 3600 s are:
      | order   | quantity | state |
