Feature: Fraud review
  An order that looks like fraud is held before it is sent, until somebody says.

  Background:
    Given there are 10 TEA

  Scenario: It is held with its money, and released
    When ada orders 2 TEA by tok_fraud_review
    Then the order is held for "FRAUD_REVIEW"
    And the payment of the order is AUTHORIZED
    And the order waits for RELEASE
    And nothing was asked of the warehouse for the order
    When somebody releases the order from FRAUD_REVIEW
    Then the order is waiting for dispatch
    When the warehouse dispatches the order
    Then the order ends as COMPLETED
    And the provider did for the order:
      | operation | amount |
      | authorize | 10.00  |
      | capture   | 10.00  |

  Scenario: It is held, and cancelled
    When ada orders 2 TEA by tok_fraud_review
    Then the order is held for "FRAUD_REVIEW"
    When ada cancels the order
    Then the order ends as CANCELLED
    And of TEA 10 are on hand and 10 are available
    And the provider took nothing for the order

  Scenario: An order above a total is looked at, whatever it is paid with
    When ada orders 2 TEA at 500.01 each
    Then the order is held for "FRAUD_REVIEW"
    And the payment of the order is AUTHORIZED
    And the order waits for RELEASE
    And nothing was asked of the warehouse for the order
    When somebody releases the order from FRAUD_REVIEW
    Then the order is waiting for dispatch

  Scenario: An order of just that total is not
    When ada orders 2 TEA at 500.00 each
    Then the order is waiting for dispatch
    And the order is held for "nothing"

  Scenario: An order above another total is undone without anybody looking
    When ada orders 2 TEA at 2500.01 each
    Then the order ends as CANCELLED because of FRAUD_DECLINED
    And the payment of the order is VOIDED
    And of TEA 10 are on hand and 10 are available
    And the provider took nothing for the order
