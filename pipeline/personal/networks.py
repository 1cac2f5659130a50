"""Made-up internet addresses from blocks that hold no real address.

Real addresses are classified as public, private (three networks) or version 6. Made-up public addresses come from a few
blocks of 65,536 addresses and private ones from blocks of 256, chosen at random among the free blocks.
"""

# ruff: noqa: PLR2004 - 4 and 6 are versions, 3 is "public"
import ipaddress
from collections import Counter
from collections.abc import Callable
from typing import Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from pipeline.personal.folding import secret
from pipeline.personal.mixing import Ints, bits, chosen, permuted
from pipeline.personal.rooms import LIMIT
from pipeline.personal.templates import scattered
from pipeline.records import Record

_PRIVATE = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_BLOCKS = 64
_DOCUMENTATION = 0x20010DB8


class Block(Record):
    """Free blocks of one network: their first bits, the number of bits left to choose, and their share of the rows."""

    starts: tuple[int, ...] = Field(min_length=1, max_length=_BLOCKS)
    left: Literal[8, 16, 96]
    weight: int = Field(ge=1)


class Network(Record):
    """Made-up internet addresses. They differ as long as the blocks last."""

    kind: Literal["network"] = "network"
    blocks: tuple[Block, ...] = Field(min_length=1)

    @classmethod
    def fit(cls, values: pa.Array, least_rows: int) -> Self:
        """Learn the networks of real addresses."""
        random = secret(values, "ip")
        counted = values.value_counts()
        rows: Counter[int] = Counter()
        taken: list[int] = []
        taken6: set[int] = {0}
        for text, count in zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True):
            number, version = _number(text)
            if version == 6:
                taken6.add(number >> 96)
            elif version:
                taken.append(number)
            network = 4 if version == 6 else _network(number)
            rows[network] += count if version else 0
        numbers = np.unique(np.array(taken, dtype=np.int64))
        blocks = []
        for network, count in sorted(rows.items()):
            if count >= least_rows:
                weight = max(1, round(1000 * count / rows.total()))
                blocks.append(
                    _free6(taken6, weight, random) if network == 4 else _free(network, numbers, weight, random)
                )
        return cls(blocks=tuple(blocks) or (_free(3, numbers, 1, random),))

    @property
    def room(self) -> int:
        """Number of rows with values of their own."""
        return min(LIMIT, *(len(block.starts) << block.left for block in self.blocks))

    def make(self, index: Ints, seed: int) -> pa.Array:
        """The made-up address of each row."""
        which = chosen(index, tuple(block.weight for block in self.blocks), seed, "network")

        def maker(number: int, block: Block) -> Callable[[Ints], pa.Array]:
            write = _written6 if block.left == 96 else _written
            return lambda rows: write(block, index[rows], seed, f"network {number}")

        return scattered(which, [maker(number, block) for number, block in enumerate(self.blocks)])


def _number(text: str) -> tuple[int, int]:
    """An address as a number, and its version; version 0 for other texts."""
    try:
        address = ipaddress.ip_address(text.partition("/")[0].partition("%")[0].strip())
    except ValueError:
        return 0, 0
    return int(address), address.version


def _network(number: int) -> int:
    """The network of an address: 0 to 2 for private networks, 3 for others."""
    address = ipaddress.IPv4Address(number)
    return next((place for place, network in enumerate(_PRIVATE) if address in network), 3)


def _free(network: int, taken: Ints, weight: int, random: np.random.Generator) -> Block:
    """Free blocks of a version 4 network; blocks of the public network if it has none."""
    left = 16 if network == 3 else 8
    if network == 3:
        starts = np.arange(11 << 8, 224 << 8)
        known = (starts >> 8 == 127) | (starts >> 4 == 172 << 4 | 1) | np.isin(starts, (169 << 8 | 254, 192 << 8 | 168))
        starts = starts[~known]
    else:
        first, size = int(_PRIVATE[network].network_address) >> 8, _PRIVATE[network].num_addresses >> 8
        starts = np.arange(first, first + size)
    free = np.setdiff1d(starts, taken >> left)
    if not len(free):
        return _free(3, taken, weight, random) if network != 3 else _reserved(taken, weight)
    kept = random.choice(free, min(_BLOCKS, max(len(free) // 2, 1)), replace=False)
    return Block(starts=tuple(sorted(kept.tolist())), left=left, weight=weight)


def _reserved(taken: Ints, weight: int) -> Block:
    """Blocks of 256 addresses in the reserved part of the address space."""
    free = np.setdiff1d(np.arange(240 << 16, 255 << 16), taken >> 8)[:_BLOCKS]
    return Block(starts=tuple(free.tolist()), left=8, weight=weight)


def _free6(taken: set[int], weight: int, random: np.random.Generator) -> Block:
    """A free block of version 6: the block for documentation, or else a private one."""
    start = _DOCUMENTATION
    while start in taken:
        start = 0xFD << 24 | int(random.integers(2**24))
    return Block(starts=(start,), left=96, weight=weight)


def _written(block: Block, index: Ints, seed: int, name: str) -> pa.Array:
    size = len(block.starts) << block.left
    place = permuted(index % size, size, seed, name)
    numbers = (np.array(block.starts, dtype=np.int64)[place >> block.left] << block.left) + (
        place & (2**block.left - 1)
    )
    octets = pa.array([str(octet) for octet in range(256)], pa.string())
    return pc.binary_join_element_wise(
        *(octets.take(pa.array(numbers >> shift & 255)) for shift in (24, 16, 8, 0)), "."
    )


def _written6(block: Block, index: Ints, seed: int, name: str) -> pa.Array:
    low = permuted(index, 2**62, seed, name)
    high = (bits(index, seed, name) >> np.uint64(32)).astype(np.int64)
    groups = pa.array([f"{group:x}" for group in range(2**16)], pa.string())
    start = block.starts[0]
    parts = [np.full(len(index), start >> 16), np.full(len(index), start & 0xFFFF), high >> 16 & 0xFFFF, high & 0xFFFF]
    parts += [low >> shift & 0xFFFF for shift in (48, 32, 16, 0)]
    return pc.binary_join_element_wise(*(groups.take(pa.array(part)) for part in parts), ":")
