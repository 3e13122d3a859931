Feature: Cancelling an order
  A customer may change their mind until the goods leave. Whether they have left is decided by shipping: the first of
  dispatch and cancellation in its log wins. A cancelled order holds no stock and no money.

  Background:
    Given there are 10 TEA

  Scenario: Before the dispatch nothing is left behind
    Given ada orders 4 TEA
    And the order is waiting for dispatch
    When ada cancels the order because "found it cheaper"
    Then the order ends as CANCELLED because of CANCEL_REQUESTED
    And the timeline of the order says "found it cheaper"
    And the payment of the order is VOIDED
    And of TEA 10 are on hand and 10 are available
    And every shipment of the order is CANCELLED
    And the provider did for the order:
      | operation | amount |
      | authorize | 20.00  |
      | void      | 20.00  |

  Scenario: While the provider is being asked, what it holds afterwards is let go
    Given ada orders 4 TEA by tok_slow
    And the provider was asked for the payment of the order
    When ada cancels the order
    Then the order ends as CANCELLED because of CANCEL_REQUESTED
    And the payment of the order is VOIDED
    And of TEA 10 are on hand and 10 are available
    And the provider did for the order:
      | operation | amount |
      | authorize | 20.00  |
      | void      | 20.00  |

  Scenario: After the dispatch it is too late
    Given ada has bought 4 TEA
    When ada cancels the order
    Then the call is refused with ORDER_NOT_CANCELLABLE
    And the order ends as COMPLETED
    And of TEA 6 are on hand and 6 are available

  Scenario: As soon as the goods have left it is too late
    Given ada orders 4 TEA by tok_flaky
    And the order is waiting for dispatch
    When the warehouse dispatches the order
    And ada cancels the order
    Then the call is refused with ORDER_NOT_CANCELLABLE
    And the order ends as COMPLETED
    And the provider did for the order:
      | operation | amount |
      | authorize | 20.00  |
      | capture   | 20.00  |

  Scenario: Cancellation and dispatch at the same moment
    Given there are 20 CUP
    When each of 20 orders of 1 CUP is cancelled while the warehouse dispatches it
    Then each of them is either wholly cancelled or wholly completed
    And there are some of either
    And what was dispatched of CUP and what is on hand are 20 together

  Scenario: Cancellation and capture at the same moment
    Given there are 100 CUP
    When each of 20 orders of 1 CUP by tok_flaky is cancelled while its money is taken
    Then each of them is either wholly cancelled or wholly completed
    And some cancellations were refused while the money was being taken
    And what was dispatched of CUP and what is on hand are 100 together

  Scenario: Cancellation and authorisation at the same moment
    Given there are 20 CUP
    When each of 20 orders of 1 CUP is cancelled while its payment is authorised
    Then each of them is cancelled and nothing stays held
    And of CUP 20 are on hand and 20 are available

  Scenario: A cancellation that is sent twice is done once
    Given ada orders 4 TEA
    And the order is waiting for dispatch
    When ada cancels the order
    And the same call is made again
    Then the order ends as CANCELLED
    And the provider did for the order:
      | operation | amount |
      | authorize | 20.00  |
      | void      | 20.00  |

  Scenario: Two cancellations of one order both succeed
    Given ada orders 4 TEA
    And the order is waiting for dispatch
    When ada cancels the order
    And ada cancels the order
    Then the order ends as CANCELLED because of CANCEL_REQUESTED

  Scenario: A cancellation of an older version is refused
    Given ada orders 4 TEA
    And the order is waiting for dispatch
    When ada cancels the order at version 1
    Then the call is refused with ETAG_MISMATCH
    And the goods of the order are ALLOCATED

  Scenario: A cancelled shipment does not leave
    Given ada orders 4 TEA
    And the order is waiting for dispatch
    When ada cancels the order
    And the warehouse dispatches the order
    Then the call is refused with SHIPMENT_NOT_DISPATCHABLE
    And the order ends as CANCELLED
