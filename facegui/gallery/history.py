"""The answers that were given."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, delete, func, insert, or_, select, update
from sqlalchemy.orm import aliased

from facegui.gallery.facerows import now
from facegui.gallery.records import Change, DecisionKind, DecisionRecord, NewDecision, Outcome
from facegui.gallery.schema import Decision, Person
from facegui.gallery.tidying import Tidying

__all__ = ["History"]


class History(Tidying):
    """Writing decisions down and reading them again."""

    def record(self, decision: NewDecision) -> int:
        """Keep an answer and return its id; a match marks the person as seen at that time.

        A person who has been removed in the meantime is left out of it.
        """
        moment = decision.time or now()
        with self._write() as write:
            connection = write.connection
            named = [i for i in (decision.person_id, decision.runner_up_id) if i is not None]
            here = set(connection.scalars(select(Person.id).where(Person.id.in_(named))))
            person = decision.person_id if decision.person_id in here else None
            key = connection.scalars(
                insert(Decision)
                .values(
                    time=moment,
                    kind=decision.kind.value,
                    outcome=decision.outcome.value,
                    probe=decision.probe,
                    reference=decision.reference,
                    person_id=person,
                    runner_up_id=decision.runner_up_id if decision.runner_up_id in here else None,
                    similarity=float(decision.similarity),
                    threshold=float(decision.threshold),
                    target_fmr=float(decision.target_fmr),
                    margin=None if decision.margin is None else float(decision.margin),
                    model_id=decision.model_id,
                    provider=decision.provider,
                    liveness=decision.liveness,
                    evidence=decision.evidence,
                )
                .returning(Decision.id)
            ).one()
            if person is not None:
                write.people.add(person)
                if decision.outcome is Outcome.MATCH:
                    later = or_(Person.last_seen.is_(None), Person.last_seen < moment)
                    connection.execute(update(Person).where(Person.id == person, later).values(last_seen=moment))
            write.history = True
            write.text = "Kept in the history"
        return key

    def decisions(self, limit: int | None = None, person_id: int | None = None) -> list[DecisionRecord]:
        """Return the answers, newest first.

        Parameters
        ----------
        limit : int or None
            At most so many.
        person_id : int or None
            Only those that name this person.
        """
        best, second = aliased(Person), aliased(Person)
        query = (
            select(Decision, best.name.label("person_name"), second.name.label("runner_up_name"))
            .with_only_columns(
                *(column for column in Decision.__table__.columns if column.name != "evidence"),
                Decision.evidence.is_not(None).label("has_evidence"),
                best.name.label("person_name"),
                second.name.label("runner_up_name"),
            )
            .select_from(Decision)
            .outerjoin(best, best.id == Decision.person_id)
            .outerjoin(second, second.id == Decision.runner_up_id)
            .order_by(Decision.time.desc(), Decision.id.desc())
        )
        if person_id is not None:
            query = query.where(or_(Decision.person_id == person_id, Decision.runner_up_id == person_id))
        if limit is not None:
            query = query.limit(limit)
        with self._read() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        for row in rows:
            row["kind"], row["outcome"] = DecisionKind(row["kind"]), Outcome(row["outcome"])
        return [DecisionRecord(**row) for row in rows]

    def evidence_of(self, decision_id: int) -> bytes | None:
        """Return the card that was kept with a decision; None where there is none, or no such decision any more."""
        with self._read() as connection:
            return connection.scalars(select(Decision.evidence).where(Decision.id == decision_id)).one_or_none()

    def erase_evidence(self, before: datetime | None = None) -> int:
        """Delete the cards kept with answers for good, or those of answers given before a moment; return how many.

        The answers stay.
        """
        kept = Decision.evidence.is_not(None)
        old = kept if before is None else and_(kept, Decision.time < before)
        with self._read() as connection:
            if not connection.scalars(select(func.count()).select_from(Decision).where(old)).one():
                return 0
        with self._write() as write:
            erased = write.connection.execute(update(Decision).where(old).values(evidence=None)).rowcount
            write.history = write.deletion = True
            write.text = "Erased the evidence"
        self._tidy()
        return int(erased)

    def clear_history(self) -> Change:
        """Delete every answer for good, and what it said of when people were last seen."""
        with self._write() as write:
            write.people |= set(write.connection.scalars(select(Person.id).where(Person.last_seen.is_not(None))))
            write.history = write.deletion = True
            write.connection.execute(delete(Decision))
            write.connection.execute(update(Person).values(last_seen=None))
            write.text = "Cleared the history"
        self._tidy()
        return write.change
