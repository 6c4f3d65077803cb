"""Which films a query to a store is about: those of one run, or all of them, one place a film."""

_WITH_RESULTS = "JOIN results ON results.id = places.result"
# One place a film, by arrival: of its places the latest, in the order of the first. A film is its bytes, and
# its file where nothing could be read, in the store where its run began: on another machine, a file of that
# name is another film. What the machine did to a file counts until something comes after it.
_EVERY_FILM = """(
  SELECT arrival AS position, file, stamp, seal, result FROM (
    SELECT places.file, places.stamp, places.seal, places.result, results.is_lasting,
      min(places.run << 32 | places.position) OVER film AS arrival,
      row_number() OVER (film ORDER BY places.run DESC, places.position DESC) AS of_film,
      row_number() OVER (PARTITION BY runs.origin, places.file ORDER BY places.run DESC, places.position DESC)
        AS of_file
    FROM places JOIN results ON results.id = places.result JOIN runs ON runs.id = places.run
    WINDOW film AS (PARTITION BY
      CASE results.sha256 WHEN '' THEN runs.origin || ':' || places.file ELSE results.sha256 END)
  ) WHERE of_film = 1 AND (is_lasting OR of_file = 1)
) AS places"""
Films = int | None  # a run's, in the order of its inputs; None: every film of the store once, by arrival


def from_films(films: Films, joined: str = "") -> str:
    """FROM and WHERE of a query about films, with their results."""
    if films is None:
        return f"FROM {_EVERY_FILM} {_WITH_RESULTS} {joined}"
    return f"FROM places {_WITH_RESULTS} {joined} WHERE places.run = ?"
