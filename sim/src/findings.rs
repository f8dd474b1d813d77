//! What a run broke: the first finding of each property, and how it is told.

use crate::fault::Place;
use crate::note::{Broken, Note, Notes, Who};
use crate::protocol::Actor;
use crate::report::Violation;
use failproof_spec::property::PropertySet;
use failproof_spec::{ActorId, Finding};

/// The findings of a run. Whom they name are the actors of its cast.
#[derive(Debug)]
pub(crate) struct Findings {
    places: Vec<Place>,
    found: PropertySet,
    findings: Vec<Finding>,
    /// What is written down of them, and of whatever else their judge sees.
    pub(crate) notes: Notes,
}

impl Findings {
    /// Nothing is broken yet.
    pub(crate) fn new(cast: &[Actor]) -> Self {
        let places = cast.iter().map(|actor| actor.place).collect();
        Self { places, found: PropertySet::default(), findings: Vec::new(), notes: Notes::default() }
    }

    /// A property is broken, perhaps not for the first time.
    pub(crate) fn add(&mut self, finding: Finding) {
        if self.found.insert(finding.property) {
            let who =
                |actor: Option<ActorId>| actor.map(|actor| Who { place: self.places[actor.0 as usize], life: None });
            let Finding { property, actor, rival, action, guard, .. } = finding;
            let broken = || Broken {
                property: property.name(),
                subject: None,
                who: who(actor),
                rival: who(rival),
                action,
                guard,
            };
            self.notes.add(|| Note::Broken(broken()));
            self.findings.push(finding);
        }
    }

    /// As reports tell them.
    pub(crate) fn violations(&self) -> Vec<Violation> {
        let violation = |finding: &Finding| {
            let Finding { property, at_us, .. } = *finding;
            Violation { property: property.name(), at_us, story: self.story(finding) }
        };
        self.findings.iter().map(violation).collect()
    }

    fn place(&self, actor: ActorId) -> Place {
        self.places[actor.0 as usize]
    }

    fn story(&self, finding: &Finding) -> String {
        let mut story = finding.actor.map_or_else(String::new, |actor| self.place(actor).to_string());
        if let Some(rival) = finding.rival {
            story.push_str(&format!(" against {}", self.place(rival)));
        }
        story.push_str(&format!(": {}", finding.guard));
        story
    }
}
