//! The names of edges as small numbers. There are as many as operators have set up, and never more than a bound: clients tell
//! them.

use std::{collections::HashMap, sync::Arc};

/// Names that are kept apart; whatever comes after counts as `other`.
const MOST: usize = 64;

/// An edge, by its number in [`Edges`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge(u16);

impl Edge {
    /// The origin itself, with no edge in front of it.
    pub const ORIGIN: Self = Self(0);
    /// All that are too many.
    pub const OTHER: Self = Self(1);

    pub fn index(self) -> usize {
        self.0.into()
    }
}

#[derive(Debug)]
pub struct Edges {
    numbers: HashMap<Arc<str>, Edge>,
    names: Vec<Arc<str>>,
}

impl Default for Edges {
    fn default() -> Self {
        let mut made = Self { numbers: HashMap::new(), names: Vec::new() };
        for name in ["origin", "other"] {
            made.of(name);
        }
        made
    }
}

impl Edges {
    /// The number of a name; empty is the origin.
    pub fn of(&mut self, name: &str) -> Edge {
        if name.is_empty() {
            return Edge::ORIGIN;
        }
        if let Some(edge) = self.numbers.get(name) {
            return *edge;
        }
        if self.names.len() >= MOST {
            return Edge::OTHER;
        }
        let (edge, name) = (Edge(self.names.len() as u16), Arc::<str>::from(name));
        self.names.push(name.clone());
        self.numbers.insert(name, edge);
        edge
    }

    pub fn name(&self, edge: Edge) -> Arc<str> {
        self.names.get(edge.index()).cloned().unwrap_or_else(|| "other".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_names_come_to_an_end() {
        let mut edges = Edges::default();
        assert_eq!(
            (edges.of(""), edges.of("origin"), edges.of("other")),
            (Edge::ORIGIN, Edge::ORIGIN, Edge::OTHER)
        );
        let first = edges.of("edge-1");
        for n in 0..1000 {
            edges.of(&format!("made-up-{n}"));
        }
        assert_eq!(edges.of("edge-1"), first);
        assert_eq!(&*edges.name(first), "edge-1");
        assert_eq!(edges.of("one-too-many"), Edge::OTHER);
    }
}
