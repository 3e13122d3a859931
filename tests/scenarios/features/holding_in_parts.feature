Feature: Holding what waits, comes in parts, or changes
  A hold keeps back every question that costs money or sends goods; what comes in meanwhile is the order's.

  Scenario: A held backorder collects its stock, and goes on with its release
    Given there are 1 TEA
    And ada orders 3 TEA under BACKORDER
    And the goods of the order are BACKORDERED
    When somebody holds the order for LOOK
    And 2 TEA come in
    Then the goods of the order are ALLOCATED
    And the provider took nothing for the order
    When somebody releases the order from LOOK
    Then the order is waiting for dispatch

  Scenario: A wait that is over ends a held order too
    Given there are 1 TEA
    And ada orders 3 TEA under BACKORDER that expires after 8 s
    And the goods of the order are BACKORDERED
    When somebody holds the order for LOOK
    Then the order ends as CANCELLED because of BACKORDER_EXPIRED
    And of TEA 1 are on hand and 1 are available

  Scenario: What is held is not amended, and may be cancelled
    Given there are 5 TEA
    And ada orders 3 TEA under BACKORDER
    And the order is waiting for dispatch
    And bob orders 3 TEA under BACKORDER as order B
    And the goods of order B are BACKORDERED
    When somebody holds order B for LOOK
    And bob amends order B to 1 TEA
    Then the call is refused with ORDER_NOT_AMENDABLE
    When bob cancels order B
    Then order B ends as CANCELLED because of CANCEL_REQUESTED
    And of TEA 5 are on hand and 2 are available

  Scenario: What is under review is sent as it was ordered
    Given there are 2 TEA
    When ada orders 2 TEA by tok_fraud_review
    Then the order is held for "FRAUD_REVIEW"
    When ada amends the order to 1 TEA
    Then the call is refused with ORDER_NOT_AMENDABLE
    When somebody releases the order from FRAUD_REVIEW
    Then the order is waiting for dispatch
