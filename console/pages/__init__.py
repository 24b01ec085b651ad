"""One module a page: read what it shows, render a template; a form is answered by going on (303)."""
