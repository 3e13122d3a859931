Feature: Reading and watching orders
  A read says how fresh it is, a watcher misses nothing, and a list has the newest first.

  Background:
    Given there are 10 TEA

  Scenario: A watcher sees everything that happens
    Given ada orders 2 TEA
    When ada watches the order
    And the order is waiting for dispatch
    And the warehouse dispatches the order
    Then each version after 0 was seen once, and the last is OrderCompleted

  Scenario: A watcher who comes back misses nothing
    Given ada has bought 2 TEA
    When ada watches the order after version 2
    Then each version after 2 was seen once, and the last is OrderCompleted

  Scenario: A watcher of an order that is cancelled
    Given ada orders 2 TEA by tok_slow
    When ada watches the order
    And ada cancels the order
    Then each version after 0 was seen once, and the last is OrderCancelled

  Scenario Outline: An answer says how fresh it is
    Given ada has bought 2 TEA
    When ada reads the order as <consistency>
    Then the answer is of version 5 or later, and says that it is <consistency> or stronger
    And the answer holds no payment token

    Examples:
      | consistency  |
      | QUORUM       |
      | LINEARIZABLE |

  Scenario: A reader may wait for a version
    Given ada orders 2 TEA
    When ada reads the order as AT_LEAST at version 3
    Then the answer is of version 3 or later, and says that it is AT_LEAST or stronger

  Scenario: An order that is not there
    When ada reads an order that was never placed
    Then the call is refused with ORDER_NOT_FOUND

  Scenario: A customer's orders, the newest first
    Given ada orders 1 TEA as order A
    And ada orders 1 TEA as order B
    And bob orders 1 TEA as order C
    And ada orders 1 TEA by tok_decline as order D
    Then the list of ada's orders is "D, B, A"
    And the list of bob's orders is "C"
    And the list of ada's orders that are CANCELLED is "D"
    And the list of bob's orders that are REJECTED is "empty"
