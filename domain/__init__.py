"""WORDS: entities, events, actions, decisions, policies, errors, ids and ports. Pure: pydantic and stdlib only."""
