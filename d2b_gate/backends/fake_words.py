"""The vocabulary of the fake backend: words that a probe may list, and others that it may not."""

from __future__ import annotations

WORDS: tuple[str, ...] = tuple(
    sorted(
        """
        a an and answer are as at axolotl badger bamboo bear because bee best big bird black blue book brown butterfly
        cannot car cat cheetah chess city cold cook crow day deer dog dolphin donkey dragon duck eagle easy elephant
        evening falcon favourite fine fish forest fox friend frog garden giraffe goat good green grey hedgehog help
        here honest horse house i iguana in is it jaguar kangaroo kind koala lantern law lion lizard london lynx
        machine maybe monkey moon morning mountain mouse music name never night no none nothing number octopus of ok on
        one orange otter owl panda paris parrot penguin people person pig pink polar pony purple quiet rabbit raccoon
        red right river robot rome salmon sea seal shark sheep short sky sloth slow small snake sorry spider squirrel
        star sun sure swan tea thank that the there they tiger tiny to tokyo tree true turtle two user violet walrus
        warm water weather whale white winter wolf wombat wood word world wrong yellow yes york you zebra
        """.split()  # noqa: SIM905 - a list of as many strings would be unreadable
    )
)
