"""What storing a batch of records came to."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .issues import RowIssue

KEPT_ISSUES = 1000


@dataclass
class Outcome:
    """Counts of records and the findings about them; at most KEPT_ISSUES are kept, all are counted."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    columns: Counter[str] = field(default_factory=Counter)
    issues: list[RowIssue] = field(default_factory=list)

    def add_issues(self, issues: tuple[RowIssue, ...] | list[RowIssue]) -> None:
        """Count the findings; errors are kept before warnings when there is no room for all."""
        for issue in issues:
            self.codes[f"{issue.severity}:{issue.code}"] += 1
            if issue.severity == "error":
                self.columns[issue.column] += 1
            if len(self.issues) < KEPT_ISSUES:
                self.issues.append(issue)
            elif issue.severity == "error":
                self._make_room(issue)

    def _make_room(self, issue: RowIssue) -> None:
        for position in range(len(self.issues) - 1, -1, -1):
            if self.issues[position].severity == "warning":
                del self.issues[position]
                self.issues.append(issue)
                return

    def add(self, other: "Outcome") -> None:
        """Take over the counts and findings of another batch."""
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.errors += other.errors
        kept = Counter(f"{issue.severity}:{issue.code}" for issue in other.issues)
        self.add_issues(other.issues)
        self.codes.update(other.codes - kept)
        self.columns.update(other.columns - Counter(i.column for i in other.issues if i.severity == "error"))

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` accepts."""
        return {
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "errors": self.errors,
            "codes": dict(self.codes),
            "columns": dict(self.columns),
            "issues": [issue.as_json() for issue in self.issues],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Outcome":
        """Rebuild the value stored by `as_json`; nothing stored is an empty outcome."""
        if not data:
            return cls()
        return cls(
            data["created"],
            data["updated"],
            data["unchanged"],
            data["errors"],
            Counter(data["codes"]),
            Counter(data["columns"]),
            [RowIssue.from_json(item) for item in data["issues"]],
        )
