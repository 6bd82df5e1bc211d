-- The verbs. Each is one call and one transaction, and decides as the memory store does. Locks are taken in one order:
-- first that of the subject, then rows.

-- Whether a session's time is over, as `Limits::judge` has it.
CREATE FUNCTION {schema}.is_over(s {schema}.sessions, p_now bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT p_now >= s.unused_at
        OR ((p_now >= s.absolute_at OR p_now >= s.seen_at + s.idle) AND p_now >= s.remember_at)
$$;

-- Why a session has ended without a tombstone of its own; nothing if it has not.
CREATE FUNCTION {schema}.ended_by_epoch(s {schema}.sessions) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT e.reason FROM {schema}.epochs e
    WHERE (e.subject = '' AND s.global_epoch < e.epoch) OR (e.subject = s.subject AND s.subject_epoch < e.epoch)
    ORDER BY e.subject LIMIT 1
$$;

CREATE FUNCTION {schema}.bury(p_ids bytea[], p_reason text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE {schema}.sessions s SET reason = p_reason, record = NULL, subject = NULL, look_at = s.forget_at
    WHERE s.id = ANY (p_ids) AND s.reason IS NULL;
    INSERT INTO {schema}.rev (kind, key) SELECT 'e', unnest(p_ids);
END
$$;

-- `insert`, and with `p_old` `replace`.
CREATE FUNCTION {schema}.add(
    p_id bytea, p_subject bytea, p_lock bigint, p_created_at bigint, p_global_epoch bigint, p_subject_epoch bigint,
    p_idle bigint, p_unused_at bigint, p_absolute_at bigint, p_remember_at bigint, p_forget_at bigint, p_look_at bigint,
    p_presented boolean, p_record bytea, p_names bytea[],
    p_now bigint, p_max bigint, p_refuse boolean, p_old bytea, p_expect bigint,
    OUT outcome text, OUT current bytea, OUT yielded bytea[]
) LANGUAGE plpgsql AS $$
DECLARE
    old {schema}.sessions;
    there {schema}.sessions;
    v_epoch bigint;
    v_used bigint;
    v_provisional bytea[];
    v_yielding bytea[] := '{}';
BEGIN
    IF p_subject IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(p_lock);
    END IF;
    IF p_old IS NOT NULL THEN
        SELECT * INTO old FROM {schema}.sessions s WHERE s.id = p_old FOR NO KEY UPDATE;
        IF NOT FOUND OR old.reason IS NOT NULL OR {schema}.ended_by_epoch(old) IS NOT NULL THEN
            outcome := 'gone';
            RETURN;
        END IF;
        IF old.revision <> p_expect THEN
            outcome := 'conflict';
            current := old.record;
            RETURN;
        END IF;
    END IF;
    SELECT e.epoch INTO STRICT v_epoch FROM {schema}.epochs e WHERE e.subject = '';
    IF p_global_epoch <> v_epoch THEN
        outcome := 'moved';
        RETURN;
    END IF;
    SELECT * INTO there FROM {schema}.sessions s WHERE s.id = p_id;
    IF FOUND THEN
        IF there.reason IS NULL OR there.forget_at > p_now THEN
            outcome := 'exists';
            RETURN;
        END IF;
        DELETE FROM {schema}.sessions s WHERE s.id = p_id AND s.reason IS NOT NULL AND s.forget_at <= p_now;
        DELETE FROM {schema}.names n WHERE n.id = p_id;
    END IF;
    IF p_subject IS NOT NULL THEN
        SELECT e.epoch INTO v_epoch FROM {schema}.epochs e WHERE e.subject = p_subject;
        v_epoch := coalesce(v_epoch, 0);
        IF p_subject_epoch <> v_epoch THEN
            outcome := 'moved';
            RETURN;
        END IF;
        IF p_max IS NOT NULL THEN
            SELECT count(*) FILTER (WHERE s.presented),
                   coalesce(array_agg(s.id ORDER BY s.created_at, s.id) FILTER (WHERE NOT s.presented), '{}')
            INTO v_used, v_provisional
            FROM {schema}.sessions s
            WHERE s.subject = p_subject AND s.subject_epoch >= v_epoch AND s.global_epoch >= p_global_epoch
              AND s.id IS DISTINCT FROM p_old AND NOT {schema}.is_over(s, p_now);
            IF p_refuse AND v_used >= p_max THEN
                outcome := 'over_limit';
                RETURN;
            END IF;
            v_yielding := v_provisional[1:greatest(v_used + cardinality(v_provisional) + 1 - p_max, 0)::integer];
        END IF;
    END IF;
    INSERT INTO {schema}.sessions VALUES (
        p_id, p_subject, 0, p_created_at, p_created_at, p_global_epoch, p_subject_epoch, p_idle, p_unused_at,
        p_absolute_at, p_remember_at, p_forget_at, p_look_at, p_presented, NULL, p_record
    ) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        outcome := 'exists';
        RETURN;
    END IF;
    INSERT INTO {schema}.names SELECT DISTINCT n, p_id FROM unnest(p_names) n;
    IF cardinality(v_yielding) > 0 THEN
        PERFORM {schema}.bury(v_yielding, 'limit');
    END IF;
    IF p_old IS NOT NULL THEN
        PERFORM {schema}.bury(ARRAY[p_old], 'superseded');
    END IF;
    outcome := 'done';
    yielded := v_yielding;
END
$$;

-- `commit`. `p_tag` closes the record that the change was made from: the same revision may have other content after a
-- failover. With `p_lock`, the session is used for the first time, and `p_max` is the limit.
CREATE FUNCTION {schema}.commit(
    p_id bytea, p_expect bigint, p_tag bytea, p_record bytea, p_revision bigint, p_seen_at bigint, p_presented boolean,
    p_unused_at bigint, p_touch boolean, p_now bigint, p_lock bigint, p_max bigint,
    OUT outcome text, OUT current bytea, OUT yielded bytea[]
) LANGUAGE plpgsql AS $$
DECLARE
    s {schema}.sessions;
    v_epoch bigint;
    v_used bytea[];
BEGIN
    IF p_lock IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(p_lock);
    END IF;
    SELECT * INTO s FROM {schema}.sessions t WHERE t.id = p_id FOR NO KEY UPDATE;
    IF NOT FOUND OR (s.reason IS NOT NULL AND s.forget_at <= p_now) THEN
        outcome := 'gone';
        RETURN;
    END IF;
    outcome := coalesce(s.reason, {schema}.ended_by_epoch(s));
    IF outcome IS NOT NULL THEN
        outcome := 'gone:' || outcome;
        RETURN;
    END IF;
    IF s.revision <> p_expect OR substring(s.record FROM octet_length(s.record) - 23) <> p_tag THEN
        outcome := 'conflict';
        current := s.record;
        RETURN;
    END IF;
    yielded := '{}';
    IF p_lock IS NOT NULL THEN
        SELECT e.epoch INTO v_epoch FROM {schema}.epochs e WHERE e.subject = s.subject;
        SELECT coalesce(array_agg(t.id ORDER BY t.created_at, t.id), '{}') INTO v_used
        FROM {schema}.sessions t
        WHERE t.subject = s.subject AND t.subject_epoch >= coalesce(v_epoch, 0) AND t.global_epoch >= s.global_epoch
          AND t.id <> p_id AND t.presented AND NOT {schema}.is_over(t, p_now);
        yielded := v_used[1:greatest(cardinality(v_used) + 1 - p_max, 0)::integer];
        IF cardinality(yielded) > 0 THEN
            PERFORM {schema}.bury(yielded, 'limit');
        END IF;
    END IF;
    UPDATE {schema}.sessions t
    SET record = p_record, revision = p_revision, seen_at = p_seen_at, presented = p_presented, unused_at = p_unused_at
    WHERE t.id = p_id;
    IF p_touch THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    ELSE
        INSERT INTO {schema}.rev (kind, key) VALUES ('c', p_id);
    END IF;
    outcome := 'done';
END
$$;

CREATE FUNCTION {schema}.finish(p_id bytea, p_expect bigint, p_reason text, OUT outcome text, OUT current bytea)
LANGUAGE plpgsql AS $$
DECLARE
    s {schema}.sessions;
BEGIN
    SELECT * INTO s FROM {schema}.sessions t WHERE t.id = p_id FOR NO KEY UPDATE;
    IF NOT FOUND OR s.reason IS NOT NULL OR {schema}.ended_by_epoch(s) IS NOT NULL THEN
        outcome := 'already';
    ELSIF s.revision <> p_expect THEN
        outcome := 'conflict';
        current := s.record;
    ELSE
        PERFORM {schema}.bury(ARRAY[p_id], p_reason);
        outcome := 'done';
    END IF;
END
$$;

-- `end_subject`. A session that is spared comes sealed for the epoch `p_epoch`; whoever asks begins again where that is not
-- a later one any more, or the session changed meanwhile.
CREATE FUNCTION {schema}.end_subject(
    p_subject bytea, p_lock bigint, p_reason text, p_now bigint, p_look_at bigint,
    p_except bytea, p_epoch bigint, p_tag bytea, p_record bytea, p_revision bigint,
    OUT outcome text, OUT epoch bigint
) LANGUAGE plpgsql AS $$
DECLARE
    v_epoch bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(p_lock);
    SELECT e.epoch INTO v_epoch FROM {schema}.epochs e WHERE e.subject = p_subject FOR NO KEY UPDATE;
    v_epoch := coalesce(v_epoch, 0);
    epoch := greatest(p_now, v_epoch + 1);
    IF p_except IS NOT NULL THEN
        UPDATE {schema}.sessions s SET record = p_record, revision = p_revision, subject_epoch = p_epoch
        WHERE s.id = p_except AND end_subject.epoch <= p_epoch AND s.reason IS NULL
          AND substring(s.record FROM octet_length(s.record) - 23) = p_tag;
        IF NOT FOUND THEN
            outcome := 'again';
            RETURN;
        END IF;
        epoch := p_epoch;
    END IF;
    INSERT INTO {schema}.epochs AS e VALUES (p_subject, end_subject.epoch, p_reason, p_look_at)
    ON CONFLICT (subject) DO UPDATE SET epoch = excluded.epoch, reason = excluded.reason, look_at = excluded.look_at;
    INSERT INTO {schema}.rev (kind, key) VALUES ('s', p_subject);
    outcome := 'done';
END
$$;

CREATE FUNCTION {schema}.end_all(p_reason text, p_now bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_epoch bigint;
BEGIN
    UPDATE {schema}.epochs e SET epoch = greatest(p_now, e.epoch + 1), reason = p_reason WHERE e.subject = ''
    RETURNING e.epoch INTO STRICT v_epoch;
    INSERT INTO {schema}.rev (kind, key) VALUES ('a', '');
    RETURN v_epoch;
END
$$;

-- Looks at no more than `p_limit` sessions whose time has come; what others hold is left to them.
CREATE FUNCTION {schema}.sweep(p_limit bigint, p_now bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_global bigint;
    v_forgotten bigint;
BEGIN
    SELECT e.epoch INTO STRICT v_global FROM {schema}.epochs e WHERE e.subject = '';
    WITH due AS MATERIALIZED (
        SELECT s.id, CASE
            WHEN s.reason IS NOT NULL THEN s.forget_at <= p_now
            ELSE s.global_epoch < v_global OR {schema}.is_over(s, p_now)
        END AS over
        FROM {schema}.sessions s WHERE s.look_at <= p_now ORDER BY s.look_at LIMIT p_limit FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM {schema}.sessions s USING due WHERE s.id = due.id AND due.over RETURNING s.id
    ), nameless AS (
        DELETE FROM {schema}.names n USING gone WHERE n.id = gone.id
    ), later AS (
        UPDATE {schema}.sessions s SET look_at = CASE
            WHEN s.reason IS NOT NULL THEN s.forget_at
            WHEN p_now < s.absolute_at AND p_now < s.seen_at + s.idle THEN greatest(s.seen_at + s.idle, p_now + 1)
            ELSE greatest(s.absolute_at, s.remember_at)
        END
        FROM due WHERE s.id = due.id AND NOT due.over
    )
    SELECT count(*) INTO v_forgotten FROM gone;
    -- Subjects without sessions, once no sign-in can be under way that noted an earlier epoch.
    WITH due AS MATERIALIZED (
        SELECT e.subject, EXISTS (SELECT FROM {schema}.sessions s WHERE s.subject = e.subject) AS used
        FROM {schema}.epochs e WHERE e.subject <> '' AND e.look_at <= p_now ORDER BY e.look_at LIMIT p_limit
        FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM {schema}.epochs e USING due WHERE e.subject = due.subject AND NOT due.used
    )
    UPDATE {schema}.epochs e SET look_at = p_now + {kept} FROM due WHERE e.subject = due.subject AND due.used;
    -- By the server's clock, as it was written.
    DELETE FROM {schema}.rev r USING (
        SELECT o.tx, o.seq FROM {schema}.rev o ORDER BY o.tx, o.seq LIMIT p_limit FOR UPDATE SKIP LOCKED
    ) oldest
    WHERE r.tx = oldest.tx AND r.seq = oldest.seq AND r.at < clock_timestamp() - interval '{told} seconds';
    RETURN v_forgotten;
END
$$;

-- Where this lies: a dump that was put back lies elsewhere. What may not be asked is left empty.
CREATE FUNCTION {schema}.home() RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_system text := '';
BEGIN
    IF has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') THEN
        SELECT c.system_identifier::text INTO v_system FROM pg_control_system() c;
    END IF;
    RETURN concat_ws('/', v_system, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()),
        '{schema}.sessions'::regclass::oid);
END
$$;

-- Asked by every connection before it serves. Where a dump was put back, all sessions end: some were signed out since.
CREATE FUNCTION {schema}.arrive(p_now bigint, OUT format integer, OUT reference_mark bytea, OUT restored boolean)
LANGUAGE plpgsql AS $$
DECLARE
    m {schema}.meta;
    v_home text := {schema}.home();
BEGIN
    SELECT * INTO STRICT m FROM {schema}.meta;
    format := m.format;
    reference_mark := m.reference_mark;
    restored := false;
    IF m.home <> v_home THEN
        UPDATE {schema}.meta t SET home = v_home WHERE t.home <> v_home;
        IF FOUND THEN
            PERFORM {schema}.end_all('admin', p_now);
            restored := true;
        END IF;
    END IF;
END
$$;
