"""A small invented news world: its publishers, articles, layouts, feeds, a loopback server, and the findings expected.

Every publisher, laboratory, model, agency, law and person in it is invented, and so are the countries. Nothing here
says anything about real people or bodies. `oversight demo` crawls it, the README tours it, the tests live in it.
"""
