DELETE FROM public.fact
