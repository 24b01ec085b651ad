"""The API for programs: JSON under ``/api/v1``, entered with a token and nothing else."""
