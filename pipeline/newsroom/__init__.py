"""An invented newsroom for the demo, the README and the tests: publishers, articles, feeds, a server, expected claims.

Every publisher, company, model, agency, law, person and country in it is invented. May import scrapers only.
"""

from pipeline.newsroom.stories import LAST_DAY, Publisher, Story, publishers, stories, story

__all__ = ["LAST_DAY", "Publisher", "Story", "publishers", "stories", "story"]
