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
_TEXTS = ("type", *_IDS)
_CALL = json.dumps({f: "VARCHAR" if f in _TEXTS else "JSON" for f in _FIELDS})
_BATCH = f'{{"batch": [{_CALL}], "context": "JSON", "sentAt": "JSON"}}'

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

#: Somebody else acted for the user.
_IMPERSONATED = [
    f"is_given(json_extract({place}, '$.{name}'))"
    for place in ("context", "properties")
    for name in ("impersonatedBy", "impersonated_by")
]

#: Late by more than this without word of when it was sent: the clock is wrong (G3).
_LATE_DAYS = 35
_AHEAD_S = 300
_DAY_US = 86_400_000_000
#: Instants that can be reckoned with: 1970 to 2200, in microseconds.
_LAST_US = 7_258_118_400_000_000

# A macro is written out where it stands: one that names its argument more than once
# is for columns, or the argument is reckoned as often. A prefix is asked with
# `starts_with`, which makes no text, as `left` does.
MACROS: Final = (
    # A text or a number as text; null for everything else.
    """word(j) AS CASE WHEN starts_with(j, '"') THEN json_extract_string(j, '$')
        WHEN NOT starts_with(j, '{') AND NOT starts_with(j, '[')
             AND j NOT IN ('true', 'false', 'null') THEN j::VARCHAR END""",
    # Without NUL and the spaces around it, which are seldom there and slow to trim;
    # null for nothing.
    """tidy(t) AS CASE WHEN t >= '!' AND NOT ends_with(t, ' ')
             AND strlen(t) = length(t) AND NOT contains(t, chr(0)) THEN t
        ELSE nullif(trim(replace(t, chr(0), '')), '') END""",
    # An id, which from_json gives as text: no list, no object, no boolean.
    """is_odd(id) AS coalesce(starts_with(id, '{') OR starts_with(id, '[')
        OR id IN ('true', 'false'), false)""",
    "known(id) AS CASE WHEN NOT is_odd(id) THEN tidy(id) END",
    "is_object(j) AS coalesce(starts_with(j, '{'), false)",
    "is_given(j) AS coalesce(j != 'null', false)",
    "object(j) AS CASE WHEN starts_with(j, '{') THEN j END",
    # Two objects as one, the second counting.
    """joined(a, b) AS CASE WHEN is_object(a) AND is_object(b)
        THEN json_merge_patch(a, b) ELSE coalesce(object(b), object(a)) END""",
    # Microseconds of a time: ISO 8601 (UTC where it does not say), or s or ms since
    # 1970; null where it cannot be read.
    """instant(j) AS CASE
        WHEN starts_with(j, '"')
             THEN epoch_us(try_cast(json_extract_string(j, '$') AS TIMESTAMPTZ))
        WHEN abs(try_cast(j AS DOUBLE)) < 1e11
             THEN (try_cast(j AS DOUBLE) * 1e6)::BIGINT
        WHEN abs(try_cast(j AS DOUBLE)) < 1e15
             THEN (try_cast(j AS DOUBLE) * 1e3)::BIGINT END""",
    # A time between 1970 and 2200.
    f"within(us) AS CASE WHEN us BETWEEN 0 AND {_LAST_US} THEN us END",
)

_MESSAGES: Final = f"""
    SELECT batch_id, idx, source_id, received, kind, outer_context, outer_sent,
           unnest(call)
    FROM (
        SELECT id AS batch_id, source_id, epoch_us(received_at) AS received,
               NULL AS kind, generate_subscripts(body.batch, 1) - 1 AS idx,
               unnest(body.batch) AS call,
               body.context AS outer_context, instant(body.sentAt) AS outer_sent
        FROM (SELECT * REPLACE (from_json(body, '{_BATCH}') AS body) FROM raw
              WHERE call = 'batch')
        UNION ALL
        SELECT id, source_id, epoch_us(received_at), call, 0,
               from_json(body, '{_CALL}'), NULL, NULL
        FROM raw WHERE call != 'batch'
    )
"""

#: One row a call, understood. Reads `raw`: requests as they came.
CALLS: Final = f"""
    WITH said AS (
        SELECT * EXCLUDE (event, name, category, timestamp, sentAt, context),
               word(event) AS event, word(name) AS name, word(category) AS category,
               instant(timestamp) AS client,
               is_given(timestamp) AND timestamp != '""' AS has_time,
               CASE WHEN sentAt IS NULL THEN outer_sent ELSE instant(sentAt) END
                   AS sent,
               CASE WHEN outer_context IS NULL THEN object(context)
                    ELSE joined(outer_context, context) END AS context
        FROM ({_MESSAGES})
    ), read AS (
        SELECT batch_id, idx, source_id, received,
               is_odd(userId) OR is_odd(anonymousId) OR is_odd(groupId)
                   OR is_odd(previousId) AS has_odd_id,
               is_odd(messageId) AS has_odd_message_id,
               is_given(properties) AND NOT is_object(properties)
                   AS has_odd_properties,
               coalesce(kind, lower(tidy(type))) AS type, tidy(event) AS event_name,
               known(userId) AS user_id, known(anonymousId) AS anonymous_id,
               known(groupId) AS group_id, known(previousId) AS previous_id,
               known(messageId) AS message_id,
               tidy(name) AS page_name, tidy(category) AS page_category,
               within(client) AS client, has_time, within(sent) AS sent,
               object(properties) AS properties, object(traits) AS traits, context,
               json_extract_string(context, '$.groupId') AS account
        FROM said
    ), placed AS (
        SELECT *,
               CASE WHEN user_id IS NULL
                    THEN json_extract_string(context, '$.userAgent') END AS agent,
               CASE WHEN sent IS NOT NULL AND has_time THEN client + (received - sent)
                    WHEN client BETWEEN received - {_LATE_DAYS * _DAY_US}
                                    AND received + {_AHEAD_S * 1_000_000} THEN client
                    ELSE received END AS reckoned
        FROM read
    )
    SELECT batch_id, idx, source_id, received, type, user_id, anonymous_id, group_id,
           previous_id, message_id, event_name, client, has_time, sent, context,
           has_odd_id, has_odd_message_id, has_odd_properties,
           CASE type WHEN 'track' THEN event_name
                {" ".join(f"WHEN '{t}' THEN '{name}'" for t, name in NAMES.items())}
                END AS event,
           least(within(reckoned), received) AS happened,
           CASE type
                WHEN 'group' THEN group_id
                ELSE coalesce(known(account), CASE WHEN contains(context, 'group_id')
                     THEN known(json_extract_string(context, '$.group_id')) END)
                END AS account_id,
           CASE WHEN type IN ('identify', 'group')
                THEN joined(json_extract(context, '$.traits'), traits)
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
           known(agent) AS user_agent,
           CASE WHEN contains(context, 'impersonated')
                     OR contains(properties, 'impersonated')
                THEN {" OR ".join(_IMPERSONATED)} ELSE false END AS is_impersonated
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
