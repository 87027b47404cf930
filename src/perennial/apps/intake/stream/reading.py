"""SQL that turns requests as they were sent into one row a call.

Every field may hold anything: what is not of the kind expected is null here, and
`steps` says whether the call can be taken without it.
"""

from __future__ import annotations

import json
from typing import Final

from perennial.apps.intake.files.properties import canonical

#: What is read of a call; everything else it says is kept nowhere.
_FIELDS = (
    *("type", "event", "userId", "anonymousId", "groupId", "previousId", "messageId"),
    *("name", "category", "timestamp", "sentAt"),
    *("properties", "traits", "context"),
)
#: Ids may be numbers; read as text at once, which is faster.
_IDS = ("userId", "anonymousId", "groupId", "previousId", "messageId")
_CALL = json.dumps({f: "VARCHAR" if f in _IDS else "JSON" for f in _FIELDS})
_BATCH = f'{{"batch": [{_CALL}], "context": "JSON", "sentAt": "JSON"}}'
_PLACES = (
    *("groupId", "group_id", "userAgent", "traits", "impersonatedBy"),
    "impersonated_by",
)

#: Event names of calls that are not `track`; those with "$" are no activity.
NAMES: Final = {
    "page": "Page viewed",
    "screen": "Screen viewed",
    "identify": "$identify",
    "group": "$group",
    "alias": "$alias",
}
#: The event by which somebody leaves an account.
LEFT: Final = "Account Removed User"

#: Late by more than this without word of when it was sent: the clock is wrong (G3).
_LATE_DAYS = 35
_AHEAD_S = 300
_DAY_US = 86_400_000_000
#: Instants that can be reckoned with: 1970 to 2200, in microseconds.
_LAST_US = 7_258_118_400_000_000

MACROS: Final = (
    # A text or a number as text; null for everything else, and for nothing.
    """word(j) AS CASE left(j, 1)
        WHEN '"' THEN nullif(trim(replace(json_extract_string(j, '$'), chr(0), '')), '')
        WHEN '{' THEN NULL WHEN '[' THEN NULL
        WHEN 't' THEN NULL WHEN 'f' THEN NULL WHEN 'n' THEN NULL ELSE j::VARCHAR END""",
    # An id, which from_json gives as text: no list, no object, no boolean.
    """is_odd(id) AS
        coalesce(left(id, 1) IN ('{', '[') OR id IN ('true', 'false'), false)""",
    """known(id) AS CASE WHEN NOT is_odd(id)
        THEN nullif(trim(replace(id, chr(0), '')), '') END""",
    "is_object(j) AS coalesce(left(j, 1) = '{', false)",
    "is_given(j) AS coalesce(j != 'null', false)",
    "object(j) AS CASE WHEN left(j, 1) = '{' THEN j END",
    f"within(us) AS CASE WHEN us BETWEEN 0 AND {_LAST_US} THEN us END",
    # Two objects as one, the second counting.
    """joined(a, b) AS CASE WHEN is_object(a) AND is_object(b)
        THEN json_merge_patch(a, b) ELSE coalesce(object(b), object(a)) END""",
    # Microseconds of a time between 1970 and 2200: ISO 8601 (UTC where it does not
    # say), or s or ms since 1970; null where it cannot be read.
    """instant(j) AS CASE
        WHEN left(j, 1) = '"' THEN within(epoch_us(try_cast(
             json_extract_string(j, '$') AS TIMESTAMPTZ)))
        WHEN abs(try_cast(j AS DOUBLE)) < 1e11
             THEN within((try_cast(j AS DOUBLE) * 1e6)::BIGINT)
        WHEN abs(try_cast(j AS DOUBLE)) < 1e15
             THEN within((try_cast(j AS DOUBLE) * 1e3)::BIGINT) END""",
)

_MESSAGES: Final = f"""
    SELECT batch_id, idx, source_id, received, kind, outer_context, outer_sent,
           unnest(call)
    FROM (
        SELECT batch_id, source_id, received, NULL AS kind,
               generate_subscripts(body.batch, 1) - 1 AS idx,
               unnest(body.batch) AS call,
               body.context AS outer_context, body.sentAt AS outer_sent
        FROM (SELECT * REPLACE (from_json(body, '{_BATCH}') AS body) FROM raw
              WHERE call = 'batch')
        UNION ALL
        SELECT batch_id, source_id, received, call, 0, from_json(body, '{_CALL}'),
               NULL, NULL
        FROM raw WHERE call != 'batch'
    )
"""

#: One row a call, understood. Reads `raw`: requests as they came.
CALLS: Final = f"""
    WITH read AS (
        SELECT batch_id, idx, source_id, received, outer_context, outer_sent,
               properties AS raw_properties,
               is_odd(userId) OR is_odd(anonymousId) OR is_odd(groupId)
                   OR is_odd(previousId) AS has_odd_id,
               is_odd(messageId) AS has_odd_message_id,
               coalesce(kind, lower(word(type))) AS type, word(event) AS event_name,
               known(userId) AS user_id, known(anonymousId) AS anonymous_id,
               known(groupId) AS group_id, known(previousId) AS previous_id,
               known(messageId) AS message_id,
               CASE WHEN name IS NOT NULL THEN word(name) END AS page_name,
               CASE WHEN category IS NOT NULL THEN word(category) END AS page_category,
               instant(timestamp) AS client,
               is_given(timestamp) AND timestamp != '""' AS has_time,
               CASE WHEN sentAt IS NOT NULL THEN instant(sentAt)
                    WHEN outer_sent IS NOT NULL THEN instant(outer_sent) END AS sent,
               object(properties) AS properties,
               CASE WHEN traits IS NOT NULL THEN object(traits) END AS traits,
               CASE WHEN outer_context IS NULL THEN object(context)
                    ELSE joined(outer_context, context) END AS context
        FROM ({_MESSAGES})
    ), placed AS (
        SELECT *, json_extract(context, {[f"$.{name}" for name in _PLACES]}) AS found,
               CASE WHEN contains(properties, 'impersonated') THEN
                   json_extract(properties,
                       ['$.impersonatedBy', '$.impersonated_by']) END AS behind,
               CASE WHEN sent IS NOT NULL AND has_time
                    THEN within(client + (received - sent))
                    WHEN client BETWEEN received - {_LATE_DAYS * _DAY_US}
                                    AND received + {_AHEAD_S * 1_000_000} THEN client
                    ELSE received END AS reckoned
        FROM read
    )
    SELECT * EXCLUDE (found, behind, reckoned, properties, traits),
           CASE type WHEN 'track' THEN event_name
                {" ".join(f"WHEN '{t}' THEN '{name}'" for t, name in NAMES.items())}
                END AS event,
           least(reckoned, received) AS happened,
           CASE type
                WHEN 'group' THEN group_id
                ELSE coalesce(word(found[1]), word(found[2])) END AS account_id,
           CASE WHEN type IN ('identify', 'group') THEN joined(found[4], traits)
                WHEN type = 'alias' THEN json_object('previousId', previous_id)
                WHEN type IN ('page', 'screen') AND (page_name IS NOT NULL
                     OR page_category IS NOT NULL) THEN joined(
                     json_merge_patch(
                         CASE WHEN page_name IS NULL THEN '{{}}'
                              ELSE json_object('name', page_name) END,
                         CASE WHEN page_category IS NULL THEN '{{}}'
                              ELSE json_object('category', page_category) END),
                     properties)
                ELSE properties END AS properties,
           word(found[3]) AS user_agent,
           coalesce(len(list_filter(list_concat(found[5:6], behind),
               lambda j: is_given(j))) > 0, false) AS is_impersonated
    FROM placed
"""

#: An event's id: its own, or else one of what it says (G3).
EVENT_ID: Final = f"""
    CASE WHEN message_id IS NOT NULL THEN message_id ELSE
        sha256(concat_ws(chr(31), source_id, coalesce(user_id, anonymous_id, ''),
            coalesce(account_id, ''), event,
            CASE WHEN has_time THEN '' ELSE concat(batch_id, ':', idx) END,
            happened // 1000, coalesce({canonical("properties")}, ''))) END
"""
