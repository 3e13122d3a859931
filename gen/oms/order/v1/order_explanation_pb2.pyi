import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from oms.order.v1 import order_pb2 as _order_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WaitingFor(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WAITING_FOR_UNSPECIFIED: _ClassVar[WaitingFor]
    WAITING_FOR_NOTHING: _ClassVar[WaitingFor]
    WAITING_FOR_STOCK: _ClassVar[WaitingFor]
    WAITING_FOR_AUTHORIZATION: _ClassVar[WaitingFor]
    WAITING_FOR_DISPATCH: _ClassVar[WaitingFor]
    WAITING_FOR_CAPTURE: _ClassVar[WaitingFor]
    WAITING_FOR_SHIPPING_STOP: _ClassVar[WaitingFor]
    WAITING_FOR_UNDO: _ClassVar[WaitingFor]
    WAITING_FOR_REFUND: _ClassVar[WaitingFor]
    WAITING_FOR_TIME: _ClassVar[WaitingFor]
    WAITING_FOR_BACKORDER: _ClassVar[WaitingFor]
    WAITING_FOR_CHANGE: _ClassVar[WaitingFor]
    WAITING_FOR_SETTLEMENT: _ClassVar[WaitingFor]
    WAITING_FOR_RELEASE: _ClassVar[WaitingFor]
    WAITING_FOR_PAYMENT_TOKEN: _ClassVar[WaitingFor]
    WAITING_FOR_EXCHANGE: _ClassVar[WaitingFor]

class Party(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PARTY_UNSPECIFIED: _ClassVar[Party]
    PARTY_CUSTOMER: _ClassVar[Party]
    PARTY_WAREHOUSE: _ClassVar[Party]
    PARTY_OPERATOR: _ClassVar[Party]
    PARTY_PAYMENT_PROVIDER: _ClassVar[Party]

class ObstacleKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OBSTACLE_KIND_UNSPECIFIED: _ClassVar[ObstacleKind]
    OBSTACLE_KIND_NO_OWNER: _ClassVar[ObstacleKind]
    OBSTACLE_KIND_STOPPED: _ClassVar[ObstacleKind]
    OBSTACLE_KIND_BEHIND: _ClassVar[ObstacleKind]
    OBSTACLE_KIND_STORE: _ClassVar[ObstacleKind]
    OBSTACLE_KIND_DEAD_LETTER: _ClassVar[ObstacleKind]
WAITING_FOR_UNSPECIFIED: WaitingFor
WAITING_FOR_NOTHING: WaitingFor
WAITING_FOR_STOCK: WaitingFor
WAITING_FOR_AUTHORIZATION: WaitingFor
WAITING_FOR_DISPATCH: WaitingFor
WAITING_FOR_CAPTURE: WaitingFor
WAITING_FOR_SHIPPING_STOP: WaitingFor
WAITING_FOR_UNDO: WaitingFor
WAITING_FOR_REFUND: WaitingFor
WAITING_FOR_TIME: WaitingFor
WAITING_FOR_BACKORDER: WaitingFor
WAITING_FOR_CHANGE: WaitingFor
WAITING_FOR_SETTLEMENT: WaitingFor
WAITING_FOR_RELEASE: WaitingFor
WAITING_FOR_PAYMENT_TOKEN: WaitingFor
WAITING_FOR_EXCHANGE: WaitingFor
PARTY_UNSPECIFIED: Party
PARTY_CUSTOMER: Party
PARTY_WAREHOUSE: Party
PARTY_OPERATOR: Party
PARTY_PAYMENT_PROVIDER: Party
OBSTACLE_KIND_UNSPECIFIED: ObstacleKind
OBSTACLE_KIND_NO_OWNER: ObstacleKind
OBSTACLE_KIND_STOPPED: ObstacleKind
OBSTACLE_KIND_BEHIND: ObstacleKind
OBSTACLE_KIND_STORE: ObstacleKind
OBSTACLE_KIND_DEAD_LETTER: ObstacleKind

class AwaitedPart(_message.Message):
    __slots__ = ("service", "key", "state", "text", "update_time")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    service: str
    key: str
    state: str
    text: str
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, service: _Optional[str] = ..., key: _Optional[str] = ..., state: _Optional[str] = ..., text: _Optional[str] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Remedy(_message.Message):
    __slots__ = ("party", "method", "text")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    party: Party
    method: str
    text: str
    def __init__(self, party: _Optional[_Union[Party, str]] = ..., method: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Obstacle(_message.Message):
    __slots__ = ("kind", "group", "partition", "text")
    KIND_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    kind: ObstacleKind
    group: str
    partition: int
    text: str
    def __init__(self, kind: _Optional[_Union[ObstacleKind, str]] = ..., group: _Optional[str] = ..., partition: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class OrderExplanation(_message.Message):
    __slots__ = ("order_id", "order_state", "payment_state", "fulfillment_state", "state_reason", "version", "waiting_for", "text", "since", "asked_again_at", "gives_up_at", "outcomes", "parts", "remedies", "obstacles", "partition")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_STATE_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_STATE_FIELD_NUMBER: _ClassVar[int]
    FULFILLMENT_STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WAITING_FOR_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    ASKED_AGAIN_AT_FIELD_NUMBER: _ClassVar[int]
    GIVES_UP_AT_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    REMEDIES_FIELD_NUMBER: _ClassVar[int]
    OBSTACLES_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    order_state: _order_pb2.OrderState
    payment_state: _order_pb2.PaymentState
    fulfillment_state: _order_pb2.FulfillmentState
    state_reason: str
    version: int
    waiting_for: WaitingFor
    text: str
    since: _timestamp_pb2.Timestamp
    asked_again_at: _timestamp_pb2.Timestamp
    gives_up_at: _timestamp_pb2.Timestamp
    outcomes: _containers.RepeatedScalarFieldContainer[str]
    parts: _containers.RepeatedCompositeFieldContainer[AwaitedPart]
    remedies: _containers.RepeatedCompositeFieldContainer[Remedy]
    obstacles: _containers.RepeatedCompositeFieldContainer[Obstacle]
    partition: str
    def __init__(self, order_id: _Optional[str] = ..., order_state: _Optional[_Union[_order_pb2.OrderState, str]] = ..., payment_state: _Optional[_Union[_order_pb2.PaymentState, str]] = ..., fulfillment_state: _Optional[_Union[_order_pb2.FulfillmentState, str]] = ..., state_reason: _Optional[str] = ..., version: _Optional[int] = ..., waiting_for: _Optional[_Union[WaitingFor, str]] = ..., text: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., asked_again_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., gives_up_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., outcomes: _Optional[_Iterable[str]] = ..., parts: _Optional[_Iterable[_Union[AwaitedPart, _Mapping]]] = ..., remedies: _Optional[_Iterable[_Union[Remedy, _Mapping]]] = ..., obstacles: _Optional[_Iterable[_Union[Obstacle, _Mapping]]] = ..., partition: _Optional[str] = ...) -> None: ...
