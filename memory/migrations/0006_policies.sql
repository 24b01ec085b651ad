-- What an agent proposes, it cannot approve: whoever writes to the log, the log refuses such a version.
-- The operator's own word is an order, not a proposal, and needs nobody else.

CREATE FUNCTION refuse_own_approval() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    proposer text := NEW.data -> 'version' ->> 'proposed_by';
    approver text := NEW.data -> 'version' ->> 'approved_by';
BEGIN
    IF coalesce(approver, '') = '' THEN
        RAISE EXCEPTION 'a policy version comes into force only when somebody approves it'
            USING ERRCODE = 'check_violation';
    END IF;
    IF proposer = approver AND proposer <> 'operator' THEN
        RAISE EXCEPTION '% proposed this version of the policy % and cannot approve it', proposer, NEW.data ->> 'name'
            USING ERRCODE = 'check_violation', HINT = 'the operator ratifies it, or a verdict of its experiment';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER another_approves BEFORE INSERT ON event
    FOR EACH ROW WHEN (NEW.type = 'policy.activated') EXECUTE FUNCTION refuse_own_approval();
