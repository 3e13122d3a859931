Feature: Placing an order
  The order id is the idempotency key: a client that got no answer sends the same again.

  Background:
    Given there are 10 TEA

  Scenario: The same order again is the order as it is
    Given ada orders 2 TEA
    And the order is waiting for dispatch
    When ada sends the order again
    Then the answer is the order as it is
    And of TEA 10 are on hand and 8 are available

  Scenario: The same order again after its end
    Given ada has bought 2 TEA
    When ada sends the order again
    Then the answer is the order as it is
    And of TEA 8 are on hand and 8 are available
    And the provider did for the order:
      | operation | amount |
      | authorize | 10.00  |
      | capture   | 10.00  |

  Scenario: Other content under a taken id
    Given ada orders 2 TEA
    When ada orders 3 TEA under the id of the order
    Then the call is refused with ORDER_ALREADY_EXISTS

  Scenario: Another customer's id
    Given ada orders 2 TEA
    When bob sends the order again
    Then the call is refused with ORDER_NOT_FOUND

  Scenario: One bad order of a batch fails alone
    When ada sends a batch of these orders
      | goods | token    |
      | 1 TEA | tok_ok   |
      | 1 TEA | tok_none |
      | 2 TEA | tok_slow |
    Then order 2 of the batch is refused with INVALID_REQUEST
    And of TEA 10 are on hand and 7 are available

  Scenario Outline: What cannot be meant is refused before anything happens
    When ada places an order with <field> set to "<value>"
    Then the call is refused with INVALID_REQUEST for <told>
    And of TEA 10 are on hand and 10 are available

    Examples:
      | field               | value      | told                                   |
      | lines[0].quantity   | 0          | order.lines[0].quantity                |
      | lines[0].quantity   | -3         | order.lines[0].quantity                |
      | lines[0].unit_price | nothing    | order.lines[0].unit_price              |
      | lines[0].unit_price | -1.00      | order.lines[0].unit_price              |
      | lines[0].discount   | 99.00      | order.lines[0].discount                |
      | lines[0].sku        | nothing    | order.lines[0].sku                     |
      | lines               | nothing    | order.lines                            |
      | customer_id         | nothing    | order.customer_id                      |
      | payment_token       | tok_stolen | order.payment_token                    |
      | order_id            | my order   | order.order_id                         |
