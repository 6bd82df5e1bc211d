//! What is asked of the database: one statement for each verb.

/// A prepared statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Ask {
    Load,
    Add,
    Commit,
    Finish,
    Epochs,
    EndSubject,
    EndAll,
    Resolve,
    List,
    Sweep,
    Time,
}

impl Ask {
    /// Every one, in the order of their numbers.
    pub(super) const ALL: [Self; 11] = [
        Self::Load,
        Self::Add,
        Self::Commit,
        Self::Finish,
        Self::Epochs,
        Self::EndSubject,
        Self::EndAll,
        Self::Resolve,
        Self::List,
        Self::Sweep,
        Self::Time,
    ];

    /// Whether it may be asked again when its answer was lost.
    pub(super) const fn only_reads(self) -> bool {
        matches!(self, Self::Load | Self::Epochs | Self::Resolve | Self::List | Self::Time)
    }

    pub(super) fn sql(self, schema: &str) -> String {
        self.template().replace("{schema}", schema)
    }

    const fn template(self) -> &'static str {
        match self {
            Self::Load => {
                "SELECT s.record, s.reason, s.forget_at, e.epoch, e.reason, g.epoch, g.reason \
                 FROM {schema}.epochs g LEFT JOIN {schema}.sessions s ON s.id = $1 \
                 LEFT JOIN {schema}.epochs e ON e.subject = s.subject WHERE g.subject = ''"
            }
            Self::Add => {
                "SELECT a.outcome, a.current, a.yielded FROM {schema}.add($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
                 $12, $13, $14, $15, $16, $17, $18, $19, $20) a"
            }
            Self::Commit => {
                "SELECT a.outcome, a.current, a.yielded \
                 FROM {schema}.commit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) a"
            }
            Self::Finish => "SELECT a.outcome, a.current FROM {schema}.finish($1, $2, $3) a",
            Self::Epochs => {
                "SELECT g.epoch, coalesce(e.epoch, 0) FROM {schema}.epochs g \
                 LEFT JOIN {schema}.epochs e ON e.subject = $1 WHERE g.subject = ''"
            }
            Self::EndSubject => {
                "SELECT a.outcome, a.epoch FROM {schema}.end_subject($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) a"
            }
            Self::EndAll => "SELECT {schema}.end_all($1, $2)",
            Self::Resolve => {
                "SELECT n.id FROM {schema}.names n JOIN {schema}.sessions s ON s.id = n.id \
                 WHERE n.name = $1 AND s.reason IS NULL"
            }
            Self::List => {
                "SELECT s.id, s.record FROM {schema}.sessions s WHERE s.subject = $1 AND s.presented \
                 AND NOT {schema}.is_over(s, $2) AND {schema}.ended_by_epoch(s) IS NULL \
                 ORDER BY s.created_at DESC, s.id DESC OFFSET $3 LIMIT $4"
            }
            Self::Sweep => "SELECT {schema}.sweep($1, $2)",
            Self::Time => "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_numbered_as_they_are_listed() {
        for (index, ask) in Ask::ALL.into_iter().enumerate() {
            assert_eq!(ask as usize, index);
        }
    }
}
