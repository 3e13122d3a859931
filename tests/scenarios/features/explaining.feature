Feature: What an order waits for
  Whoever looks after a shop can ask of any order why it does not go on, since when, and who can act.

  Background:
    Given there are 10 TEA

  Scenario: For the warehouse
    Given ada orders 2 TEA
    Then the order waits for DISPATCH, of which shipping says "It is there, and has not left."
    And the order waits for DISPATCH and the warehouse can act
    And the order waits for DISPATCH and the customer can act
    And the order is asked again, and is never given up

  Scenario: For nothing
    Given ada has bought 2 TEA
    Then the order waits for NOTHING

  Scenario: For goods that are missing
    Given there are 1 CUP
    When ada orders 2 CUP under BACKORDER
    Then the order waits for BACKORDER and the warehouse can act
    And the order waits for BACKORDER and the customer can act
    And the explanation of the order says "It is expected by"
    And the order is given up if nobody acts

  Scenario: For another payment token
    When ada orders 2 TEA by tok_decline and may pay again within 600 s
    Then the order waits for PAYMENT_TOKEN and the customer can act
    And the order is given up if nobody acts

  Scenario: For somebody to look at it
    When ada orders 2 TEA by tok_fraud_review
    Then the order waits for RELEASE and the operator can act
    And the explanation of the order says "held for FRAUD_REVIEW"

  Scenario: For a refund, and then for nothing
    Given ada has bought 2 TEA by tok_flaky
    When ada is refunded 1.00 of the order
    Then 1.00 of the order is refunded
    And the order waits for NOTHING

  Scenario: A rejected order says why it ended
    When ada orders 11 TEA
    Then the order ends as REJECTED because of OUT_OF_STOCK
    And the order waits for NOTHING
