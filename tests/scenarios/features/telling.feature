Feature: Telling the world by webhooks
  Whoever asked for it is told what happens to an order: at least once, in order, signed.

  Background:
    Given there are 100 TEA
    And carol listens to "oms.order.*"

  Scenario: What happens to an order is told in order
    Given ada has bought 2 TEA
    Then carol was told of the order "placed, confirmed, completed"

  Scenario: What becomes of an order that is held, and changed, is told too
    When ada orders 2 TEA by tok_fraud_review
    Then the order is held for "FRAUD_REVIEW"
    When somebody releases the order from FRAUD_REVIEW
    Then the order is waiting for dispatch
    When ada amends the order to 3 TEA
    Then the order costs 15.00
    And the order is held for "FRAUD_REVIEW"
    When ada cancels the order
    Then the order ends as CANCELLED
    And carol was told of the order "placed, held, confirmed, released, amended, held, cancelling, cancelled"

  Scenario: A listener that fails at first is told again
    Given carol answers 503 to the next 2 events
    And ada has bought 2 TEA
    Then carol was told of the order "placed, confirmed, completed"

  Scenario: A listener that is gone is told no more, until somebody says that it is back
    Given carol answers 410 to the next 1 events
    And ada has bought 2 TEA
    Then the endpoint of carol is DISABLED because it is GONE
    When carol is resumed
    Then carol was told of the order "placed, confirmed, completed"

  Scenario: What happens while a listener is paused is told afterwards
    Given dora listens to "oms.order.*"
    When dora is paused, which carol is not
    And dora is resumed
    Then dora was told of the order "placed, confirmed, completed"

  Scenario: A secret is exchanged without a gap: for a while both sign
    When carol exchanges the secret for another
    And ada has bought 2 TEA
    Then carol was told of the order "placed, confirmed, completed"

  Scenario: A test
    Given dora listens to "*"
    When a test is sent to carol
    Then carol alone was told of the test

  Scenario: A delivery is sent again by hand
    Given ada has bought 2 TEA
    And carol was told of the order "placed, confirmed, completed"
    When the last delivery about the order to carol is sent again
    Then in all carol was told of the order "placed, confirmed, completed, completed"

  Scenario: All of a time is sent again, in order
    Given ada has bought 2 TEA
    And carol was told of the order "placed, confirmed, completed"
    When all that happened since the order was placed is sent to carol again
    Then in all carol was told of the order "placed, confirmed, completed, placed, confirmed, completed"

  Scenario: A listener behind a port that is not open to webhooks is refused
    When carol wants to listen at "https://127.0.0.1:22/"
    Then the call is refused with URL_NOT_ALLOWED
