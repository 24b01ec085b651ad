INSERT INTO public.fact (subject, predicate, object, valid, belief, confidence, status, functional, source_event)
SELECT subject, predicate, object, valid, belief, confidence, status, functional, source_event FROM pg_temp.fact ORDER BY fact_id
