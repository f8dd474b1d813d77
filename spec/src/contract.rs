//! The transition table of a finite contract: states, edges, and the actions that each edge may be.
//!
//! A table is compiled from a module below `spec/tla/` and kept beside it; a test compiles it again and compares. This
//! module only reads the text, once, and then answers in a few nanoseconds. It knows no protocol: what a state and a
//! label are is told by a [`Subject`].

use core::fmt;

/// A code that is no state of this contract.
const NO_STATE: u16 = u16::MAX;

/// What a contract is about: a well-typed state, packed in a small integer.
///
/// Invariant: `Self::of(code.state()) == code`, every index is below `COUNT`, and the order is that of the indices.
pub trait Subject: Copy + Ord + fmt::Debug + 'static {
    /// The variables of the contract, written and read as a line of a table.
    type State: Copy + Ord + fmt::Debug + fmt::Display + core::str::FromStr<Err = &'static str>;

    /// The actions of the contract, with their parameters.
    type Labels: LabelSet;

    /// How many well-typed states there are.
    const COUNT: usize;

    /// Packs a state.
    fn of(state: Self::State) -> Self;

    /// The state that it stands for.
    fn state(self) -> Self::State;

    /// The integer as an index.
    fn index(self) -> usize;

    /// The same state after those who are interchangeable changed sides; itself where nobody is.
    #[must_use]
    fn mirrored(self) -> Self;
}

/// A set of labels of an edge.
///
/// Shape: bits, one for each label.
pub trait LabelSet: Copy + Eq + fmt::Debug + fmt::Display + 'static {
    /// No label.
    const NONE: Self;

    /// Every step can be turned so that it bears one of these.
    const CANONICAL: Self;

    /// The canonical ones that are their own mirror image, although the step may not be.
    const UNSIDED: Self;

    /// The bits.
    fn bits(self) -> u32;

    /// Both sets together.
    #[must_use]
    fn with(self, other: Self) -> Self;

    /// What is in both sets.
    #[must_use]
    fn within(self, other: Self) -> Self;

    /// The same labels after a change of sides.
    #[must_use]
    fn mirrored(self) -> Self;

    /// Reads one label, as it is printed.
    fn parse(text: &str) -> Option<Self>;

    /// Every label by itself, each once.
    fn singles() -> impl Iterator<Item = Self>;

    /// Whether there is a label in both sets.
    #[inline]
    fn meets(self, other: Self) -> bool {
        self.bits() & other.bits() != 0
    }

    /// How many labels are in the set.
    fn len(self) -> u32 {
        self.bits().count_ones()
    }

    /// Whether no label is in the set.
    fn is_empty(self) -> bool {
        self.bits() == 0
    }
}

/// A contract as a table.
///
/// Shape: `ids` has one entry for each well-typed state; the edges out of state `s` are `rows[s]..rows[s + 1]`, ordered
/// by target.
/// Spec: the module with the constants that the table names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract<S: Subject> {
    name: String,
    ids: Vec<u16>,
    states: Vec<S>,
    rows: Vec<u32>,
    targets: Vec<u16>,
    labels: Vec<S::Labels>,
    /// The edge between the mirrored states; an edge may be its own mirror.
    mirrors: Vec<u32>,
    steps: u32,
}

/// An edge of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge<L> {
    /// Its place among the edges of the contract.
    pub index: u32,
    /// The actions that it may be.
    pub labels: L,
}

impl<S: Subject> Contract<S> {
    /// Reads a table.
    ///
    /// # Errors
    /// [`TableError`] names the line, and what was expected there.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        Reader { lines: text.lines(), read: 0 }.contract()
    }

    /// The name of the TLA+ module.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The states, in the order of their codes.
    #[must_use]
    pub fn states(&self) -> &[S] {
        &self.states
    }

    /// How many edges there are, self-loops included.
    #[must_use]
    pub fn edge_count(&self) -> usize {
        self.targets.len()
    }

    /// How many different steps there are: edges with one of their labels each, mirror images counted once.
    ///
    /// This is what coverage is measured against.
    #[must_use]
    pub const fn step_count(&self) -> u32 {
        self.steps
    }

    /// Whether the contract has this state.
    #[must_use]
    pub fn has_state(&self, code: S) -> bool {
        self.ids[code.index()] != NO_STATE
    }

    /// The edge between two states, if the contract has one.
    #[inline]
    #[must_use]
    pub fn edge(&self, from: S, to: S) -> Option<Edge<S::Labels>> {
        let (from, to) = (self.ids[from.index()], self.ids[to.index()]);
        if from == NO_STATE || to == NO_STATE {
            return None;
        }
        let (start, end) = (self.rows[from as usize] as usize, self.rows[from as usize + 1] as usize);
        let at = start + self.targets[start..end].binary_search(&to).ok()?;
        Some(Edge { index: at as u32, labels: self.labels[at] })
    }

    /// The actions that may lead from one state to another; none when the contract has no such edge.
    #[inline]
    #[must_use]
    pub fn labels(&self, from: S, to: S) -> S::Labels {
        self.edge(from, to).map_or(S::Labels::NONE, |edge| edge.labels)
    }

    /// Every edge, as (from, to, labels).
    pub fn edges(&self) -> impl Iterator<Item = (S, S, S::Labels)> + '_ {
        self.states.iter().enumerate().flat_map(move |(from, code)| {
            (self.rows[from] as usize..self.rows[from + 1] as usize)
                .map(move |at| (*code, self.states[self.targets[at] as usize], self.labels[at]))
        })
    }

    /// The one of an edge and its mirror image that stands for both.
    pub(crate) fn representative(&self, edge: u32) -> u32 {
        edge.min(self.mirrors[edge as usize])
    }

    /// Fills in the mirrors, and counts the steps.
    fn complete(mut self) -> Result<Self, &'static str> {
        let edges: Vec<_> = self.edges().collect();
        for (at, (from, to, labels)) in edges.into_iter().enumerate() {
            let mirror = self.edge(from.mirrored(), to.mirrored()).filter(|mirror| mirror.labels == labels.mirrored());
            let mirror = mirror.ok_or("each edge to have a mirror image")?;
            self.mirrors.push(mirror.index);
            self.steps += labels.within(S::Labels::CANONICAL).len();
            if (mirror.index as usize) < at {
                self.steps -= labels.within(S::Labels::UNSIDED).len();
            }
        }
        Ok(self)
    }
}

/// A table that cannot be read. Nothing was kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableError {
    /// The line, counted from one.
    pub line: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the contract table: expected {}", self.line, self.expected)
    }
}

impl std::error::Error for TableError {}

struct Reader<'a> {
    lines: std::str::Lines<'a>,
    read: usize,
}

impl<'a> Reader<'a> {
    fn contract<S: Subject>(&mut self) -> Result<Contract<S>, TableError> {
        let mut name = "";
        let (line, count) = loop {
            let (line, text) = self.next("a header, up to `states` and their number")?;
            match text.split_once(' ') {
                Some(("#", _)) => {}
                Some(("contract", given)) => name = given,
                Some(("constant", _)) => {}
                Some(("states", count)) => break (line, count),
                _ => return Err(TableError { line, expected: "#, contract, constant or states" }),
            }
        };
        let count: u16 = number(line, count, "the number of states")?;
        let mut ids = vec![NO_STATE; S::COUNT];
        let mut states = Vec::with_capacity(count.into());
        for id in 0..count {
            let (line, text) = self.next("as many states as announced")?;
            let expected = "the next number and a state";
            let (given, state) = text.split_once(' ').ok_or(TableError { line, expected })?;
            if number::<u16>(line, given, expected)? != id {
                return Err(TableError { line, expected });
            }
            let code = S::of(state.parse().map_err(|expected| TableError { line, expected })?);
            if states.last().is_some_and(|last| *last >= code) {
                return Err(TableError { line, expected: "states in the order of their codes" });
            }
            ids[code.index()] = id;
            states.push(code);
        }
        let (line, text) = self.next("`edges` and their number")?;
        let expected = "`edges` and their number";
        let edges = text.strip_prefix("edges ").ok_or(TableError { line, expected })?;
        let edges: usize = number(line, edges, expected)?;
        let mut contract = Contract {
            name: name.to_string(),
            ids,
            states,
            rows: vec![0],
            targets: Vec::with_capacity(edges),
            labels: Vec::with_capacity(edges),
            mirrors: Vec::with_capacity(edges),
            steps: 0,
        };
        let mut last = None;
        for _ in 0..edges {
            let (line, text) = self.next("as many edges as announced")?;
            let expected = "an edge: from, to, labels";
            let mut words = text.split(' ');
            let (Some(from), Some(to), Some(labels), None) = (words.next(), words.next(), words.next(), words.next())
            else {
                return Err(TableError { line, expected });
            };
            let (from, to): (u16, u16) = (number(line, from, expected)?, number(line, to, expected)?);
            if from >= count || to >= count {
                return Err(TableError { line, expected: "states that were listed" });
            }
            if last.is_some_and(|last| last >= (from, to)) {
                return Err(TableError { line, expected: "edges in order" });
            }
            last = Some((from, to));
            let labels = labels.split(',').try_fold(S::Labels::NONE, |all, label| {
                S::Labels::parse(label)
                    .map(|label| all.with(label))
                    .ok_or(TableError { line, expected: "labels of actions" })
            })?;
            while contract.rows.len() <= from as usize {
                contract.rows.push(contract.targets.len() as u32);
            }
            contract.targets.push(to);
            contract.labels.push(labels);
        }
        while contract.rows.len() <= count as usize {
            contract.rows.push(contract.targets.len() as u32);
        }
        if self.lines.next().is_some() {
            return Err(TableError { line: self.read + 1, expected: "nothing after the edges" });
        }
        contract.complete().map_err(|expected| TableError { line, expected })
    }

    fn next(&mut self, expected: &'static str) -> Result<(usize, &'a str), TableError> {
        self.read += 1;
        let text = self.lines.next().ok_or(TableError { line: self.read, expected })?;
        Ok((self.read, text))
    }
}

fn number<T: core::str::FromStr>(line: usize, text: &str, expected: &'static str) -> Result<T, TableError> {
    text.parse().map_err(|_| TableError { line, expected })
}

#[cfg(test)]
mod tests;
