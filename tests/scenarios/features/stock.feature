Feature: Stock is never sold twice
  An order gets all of its goods or none of them, whichever partitions they are kept in.

  Scenario: A rush for the last pieces
    Given there are 10 TEA
    When 1000 orders of 1 TEA are placed at once
    Then exactly 10 of them are CONFIRMED and all others are REJECTED
    And of TEA 10 are on hand and 0 are available

  Scenario: A rush for pairs leaves no half pair promised
    Given there are 9 TEA
    When 50 orders of 2 TEA are placed at once
    Then exactly 4 of them are CONFIRMED and all others are REJECTED
    And of TEA 9 are on hand and 1 are available

  Scenario: Nothing there
    Given there are 1 TEA
    When ada orders 2 TEA
    Then the order ends as REJECTED because of OUT_OF_STOCK
    And the timeline of the order says "OUT_OF_STOCK"
    And the payment of the order is NONE
    And of TEA 1 are on hand and 1 are available
    And the provider took nothing for the order

  Scenario: A SKU that nobody knows
    When ada orders 1 TEA
    Then the order ends as REJECTED because of OUT_OF_STOCK

  Scenario: Short in one partition, plenty in the other
    Given TEA and CUP are kept in different partitions
    And there are 10 TEA and 1 CUP
    When ada orders 3 TEA and 2 CUP
    Then the order ends as REJECTED because of OUT_OF_STOCK
    And of TEA 10 are on hand and 10 are available
    And of CUP 1 are on hand and 1 are available

  Scenario: Enough in both partitions
    Given TEA and CUP are kept in different partitions
    And there are 10 TEA and 2 CUP
    When ada orders 3 TEA and 2 CUP
    Then the order is waiting for dispatch
    And of TEA 10 are on hand and 7 are available
    And of CUP 2 are on hand and 0 are available

  Scenario: Two orders that want each other's rest
    Given TEA and CUP are kept in different partitions
    And there are 5 TEA and 5 CUP
    When ada orders 5 TEA and 1 CUP as order A
    And bob orders 1 TEA and 5 CUP as order B
    And ada cancels order A
    Then order A ends as CANCELLED
    And order B ends as REJECTED because of OUT_OF_STOCK
    And of TEA 5 are on hand and 5 are available
    And of CUP 5 are on hand and 5 are available

  Scenario: The same SKU on two lines is one wish
    Given there are 6 TEA
    When ada orders 3 TEA and 4 TEA
    Then the order ends as REJECTED because of OUT_OF_STOCK
    When ada orders 3 TEA and 3 TEA
    Then the order is waiting for dispatch
    And of TEA 6 are on hand and 0 are available

  Scenario: What a cancelled order gives back is sold to the next
    Given there are 3 TEA
    And ada orders 3 TEA as order A
    And order A is waiting for dispatch
    When bob orders 1 TEA as order B
    Then order B ends as REJECTED because of OUT_OF_STOCK
    When ada cancels order A
    Then order A ends as CANCELLED
    And of TEA 3 are on hand and 3 are available
    When bob orders 1 TEA as order C
    Then order C is waiting for dispatch

  Scenario: A receipt that is told twice counts once
    Given there are 3 TEA
    When 2 TEA come in
    And the same call is made again
    Then of TEA 5 are on hand and 5 are available

  Scenario: A correction cannot take what is promised
    Given there are 5 TEA
    And ada orders 4 TEA
    And the order is waiting for dispatch
    When the stock of TEA is corrected by -2
    Then the call is refused with STOCK_BELOW_RESERVED
    When the stock of TEA is corrected by -1
    Then of TEA 4 are on hand and 0 are available
