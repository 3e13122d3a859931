Feature: Low stock
  Whoever looks after a SKU says from when on it is low. That is told once, and once when it is over.

  Background:
    Given there are 10 TEA
    And carol listens to "oms.inventory.low.v1, oms.inventory.replenished.v1"

  Scenario: It becomes low, stays so, and is filled up
    When TEA is said to be low from 5 on
    And ada orders 4 TEA
    And the order is waiting for dispatch
    Then TEA is not low
    When ada orders 1 TEA
    Then TEA is low
    When ada orders 2 TEA
    And the order is waiting for dispatch
    Then TEA is low
    When 5 TEA come in
    Then TEA is not low
    And carol was told of TEA "low, replenished"

  Scenario: What a cancelled order gives back counts
    When TEA is said to be low from 5 on
    And ada orders 7 TEA
    Then TEA is low
    When ada cancels the order
    Then TEA is not low
    And carol was told of TEA "low, replenished"

  Scenario: It is low already
    When TEA is said to be low from 10 on
    Then TEA is low
    And carol was told of TEA "low"

  Scenario: A SKU that nobody knows
    When CUP is said to be low from 5 on
    Then the call is refused with STOCK_NOT_FOUND
