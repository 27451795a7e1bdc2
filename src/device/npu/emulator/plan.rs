//! A design with its names resolved: who acts, what each waits for, where descriptors go.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::super::design::{Descriptor, Design, Direction, LockUse, Place, Port, Tile};
use super::super::target::Kind;
use super::clocks::Actor;
use super::code::Code;
use super::fault::Fault;
use super::ledger::Footprint;
use super::pattern::Pattern;
use super::timeline::Row;

/// The command processor.
pub(super) const PROCESSOR: Actor = 0;

/// What does not change while a design runs.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) design: Arc<Design>,
    pub(super) tiles: Vec<PlannedTile>,
    /// All channels; the actor of one is its position + 1.
    pub(super) channels: Vec<PlannedChannel>,
    /// Tiles with a program; their actors follow the channels'.
    pub(super) cores: Vec<PlannedCore>,
    /// Channels at the ends: the source, then the destinations.
    pub(super) flows: Vec<(usize, Vec<usize>)>,
    /// The shim's channels.
    pub(super) shim: HashMap<(usize, Direction, usize), usize>,
}

#[derive(Debug)]
pub(super) struct PlannedTile {
    /// In the order of the design's, which `next` and `first` are positions in.
    pub(super) descriptors: Vec<PlannedDescriptor>,
    /// Who acquires each lock.
    pub(super) acquirers: Vec<Vec<Actor>>,
}

#[derive(Debug)]
pub(super) struct PlannedDescriptor {
    pub(super) buffer: usize,
    /// Address in the tile's memory.
    pub(super) start: usize,
    pub(super) pattern: Pattern,
    pub(super) footprint: Footprint,
    pub(super) acquire: Option<LockUse>,
    pub(super) release: Option<LockUse>,
    pub(super) next: Option<usize>,
}

#[derive(Debug)]
pub(super) struct PlannedChannel {
    pub(super) tile: usize,
    pub(super) place: Place,
    pub(super) direction: Direction,
    pub(super) number: usize,
    pub(super) first: Option<usize>,
    pub(super) flow: usize,
}

#[derive(Debug)]
pub(super) struct PlannedCore {
    pub(super) tile: usize,
    pub(super) place: Place,
    pub(super) code: Code,
}

impl Plan {
    pub(super) fn new(design: Arc<Design>) -> Result<Self, Fault> {
        let broken = |reason: String| Fault::Design { reason };
        let mut channels = Vec::new();
        let mut ports: HashMap<(Port, Direction), usize> = HashMap::new();
        let mut tiles = Vec::new();
        for (index, tile) in design.tiles.iter().enumerate() {
            let numbers: BTreeMap<usize, usize> =
                tile.descriptors.iter().enumerate().map(|(position, one)| (one.number, position)).collect();
            let position = |number: usize| {
                numbers
                    .get(&number)
                    .copied()
                    .ok_or_else(|| broken(format!("{} has no descriptor {number}", tile.place)))
            };
            for channel in &tile.channels {
                ports.insert((Port { place: tile.place, channel: channel.number }, channel.direction), channels.len());
                channels.push(PlannedChannel {
                    tile: index,
                    place: tile.place,
                    direction: channel.direction,
                    number: channel.number,
                    first: channel.first.map(position).transpose()?,
                    flow: usize::MAX,
                });
            }
            let planned = tile.descriptors.iter().map(|descriptor| {
                let next = descriptor.next.map(position).transpose()?;
                PlannedDescriptor::new(tile, descriptor, next)
                    .map_err(|reason| broken(format!("{}: {reason}", tile.place)))
            });
            tiles.push(PlannedTile {
                descriptors: planned.collect::<Result<_, Fault>>()?,
                acquirers: vec![Vec::new(); tile.locks.len()],
            });
        }
        let mut flows = Vec::new();
        for flow in &design.flows {
            let find = |port: Port, direction| {
                let reason = || broken(format!("{} has no channel {direction:?} {}", port.place, port.channel));
                ports.get(&(port, direction)).copied().ok_or_else(reason)
            };
            let source = find(flow.source, Direction::Out)?;
            let ends = flow.destinations.iter().map(|port| find(*port, Direction::In));
            let ends = ends.collect::<Result<Vec<usize>, Fault>>()?;
            for channel in ends.iter().chain([&source]) {
                channels[*channel].flow = flows.len();
            }
            flows.push((source, ends));
        }
        if let Some(channel) = channels.iter().find(|channel| channel.flow == usize::MAX) {
            return Err(broken(format!(
                "{:?} {} of {} has no stream",
                channel.direction, channel.number, channel.place
            )));
        }
        let mut cores = Vec::new();
        for (index, tile) in design.tiles.iter().enumerate() {
            if let Some(program) = &tile.core {
                let code = Code::new(tile, program).map_err(|reason| broken(format!("{}: {reason}", tile.place)))?;
                cores.push(PlannedCore { tile: index, place: tile.place, code });
            }
        }
        let shim = channels.iter().enumerate().filter(|(_, channel)| channel.place.kind() == Kind::Shim);
        let shim = shim.map(|(index, one)| ((one.place.column, one.direction, one.number), index)).collect();
        let mut plan = Self { design, tiles, channels, cores, flows, shim };
        plan.find_acquirers();
        Ok(plan)
    }

    fn find_acquirers(&mut self) {
        for (index, channel) in self.channels.iter().enumerate() {
            let tile = &mut self.tiles[channel.tile];
            let mut seen = vec![false; tile.descriptors.len()];
            let mut next = channel.first;
            while let Some(position) = next.filter(|position| !std::mem::replace(&mut seen[*position], true)) {
                if let Some(acquire) = tile.descriptors[position].acquire {
                    tile.acquirers[acquire.lock].push(1 + index);
                }
                next = tile.descriptors[position].next;
            }
        }
        for (index, core) in self.cores.iter().enumerate() {
            for ring in &core.code.rings {
                self.tiles[core.tile].acquirers[ring.take].push(1 + self.channels.len() + index);
            }
        }
    }

    /// Who acts: the command processor, the channels, the cores.
    pub(super) fn actors(&self) -> usize {
        1 + self.channels.len() + self.cores.len()
    }

    pub(super) fn channel_actor(&self, channel: usize) -> Actor {
        1 + channel
    }

    pub(super) fn core_actor(&self, core: usize) -> Actor {
        1 + self.channels.len() + core
    }

    /// An actor's row in a timeline.
    pub(super) fn row(&self, actor: Actor) -> Row {
        let Some(index) = actor.checked_sub(1) else { return Row::Processor };
        match self.channels.get(index) {
            Some(channel) => Row::Channel(channel.place, channel.direction, channel.number),
            None => Row::Core(self.cores[index - self.channels.len()].place),
        }
    }

    /// An actor's name in messages.
    pub(super) fn name(&self, actor: Actor) -> String {
        if actor == PROCESSOR {
            return "the command processor".to_owned();
        }
        if let Some(channel) = self.channels.get(actor - 1) {
            let direction = if channel.direction == Direction::In { "in" } else { "out" };
            return format!("channel {direction} {} of {}", channel.number, channel.place);
        }
        let core = self.cores.get(actor - 1 - self.channels.len());
        core.map_or_else(String::new, |core| format!("the core of {}", core.place))
    }

    /// A buffer's name in messages.
    pub(super) fn buffer_name(&self, tile: usize, buffer: usize) -> String {
        let tile = &self.design.tiles[tile];
        format!("buffer {} of {}", tile.buffers[buffer].name, tile.place)
    }

    /// A lock's name in messages.
    pub(super) fn lock_name(&self, tile: usize, lock: usize) -> String {
        let tile = &self.design.tiles[tile];
        format!("lock {} of {}", tile.locks[lock].name, tile.place)
    }
}

impl PlannedDescriptor {
    fn new(tile: &Tile, descriptor: &Descriptor, next: Option<usize>) -> Result<Self, String> {
        let number = descriptor.number;
        let buffer = tile.buffers.get(descriptor.buffer).ok_or(format!("descriptor {number} has no buffer"))?;
        let pattern = Pattern::new(descriptor.length_words, &descriptor.dimensions);
        let product: usize = descriptor.dimensions.iter().map(|dimension| dimension.wrap as usize).product();
        if pattern.bytes == 0 || !descriptor.dimensions.is_empty() && product != descriptor.length_words {
            return Err(format!(
                "descriptor {number} moves {} words in a pattern of {product}",
                descriptor.length_words
            ));
        }
        let footprint = Footprint::of_pattern(&pattern, descriptor.offset_bytes);
        if footprint.end() > buffer.bytes || buffer.address + buffer.bytes > tile.place.kind().limits().memory_bytes {
            return Err(format!("descriptor {number} goes beyond buffer {}", buffer.name));
        }
        let uses = [descriptor.acquire, descriptor.release];
        if uses.iter().flatten().any(|one| one.lock >= tile.locks.len()) {
            return Err(format!("descriptor {number} uses a lock that is not there"));
        }
        Ok(Self {
            buffer: descriptor.buffer,
            start: buffer.address + descriptor.offset_bytes,
            pattern,
            footprint,
            acquire: descriptor.acquire,
            release: descriptor.release,
            next,
        })
    }
}
