Feature: Pre-orders
  What has not come in yet can be sold: the SKU is made known by a count of none, and its orders wait in their order.

  Scenario: The first who ordered get the first that come in
    When 0 TEA are counted
    And ada orders 2 TEA under BACKORDER as order A
    And the goods of order A are BACKORDERED
    And bob orders 1 TEA under BACKORDER as order B
    And the goods of order B are BACKORDERED
    When 2 TEA come in
    Then order A is waiting for dispatch
    And the goods of order B are BACKORDERED
    When 1 TEA come in
    Then order B is waiting for dispatch
    And of TEA 3 are on hand and 0 are available

  Scenario: Nothing is charged for what never comes
    When 0 TEA are counted
    And ada orders 2 TEA under BACKORDER that expires after 3 s
    Then the order ends as CANCELLED because of BACKORDER_EXPIRED
    And the provider took nothing for the order

  Scenario: What nobody made known is not sold
    When ada orders 2 TEA under BACKORDER
    Then the order ends as REJECTED because of OUT_OF_STOCK
