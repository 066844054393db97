"""Made sets that carry no behaviour: garden, units, grammar, words, kitchen, office, animals, travel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.truth.made_cross import crossed

if TYPE_CHECKING:
    from benchmarks.truth.made_cross import Row

# plant, when to sow or plant it, centimetres between plants, where it grows best, what to look after
PLANTS = (
    ("lettuce", "from early spring", 25, "light shade in summer", "Pick the outer leaves first."),
    ("carrots", "from mid spring", 5, "deep sandy soil in sun", "Thin the seedlings on a still evening."),
    ("tomatoes", "after the last frost", 50, "a warm sunny wall", "Tie the stems to a stake."),
    ("radishes", "every two weeks from spring", 3, "cool moist soil", "Harvest them before they turn woody."),
    ("courgettes", "in late spring", 90, "rich soil in full sun", "Cut the fruits while they are small."),
    ("garlic", "in autumn", 15, "dry soil in full sun", "Lift the bulbs when the leaves yellow."),
    ("peas", "in early spring", 6, "an open spot with support", "Pick the pods often."),
    ("runner beans", "in late spring", 20, "a sheltered sunny row", "Water them well in flower."),
    ("beetroot", "from mid spring", 10, "fertile soil in sun", "Twist the leaves off instead of cutting."),
    ("spinach", "in spring or autumn", 12, "half shade", "Keep the soil moist so that it does not bolt."),
    ("basil", "indoors in spring", 20, "a bright warm sill", "Pinch out the tips."),
    ("parsley", "in spring", 15, "half shade", "Be patient, it germinates slowly."),
    ("leeks", "in early spring", 15, "deep fertile soil", "Earth them up for long white stems."),
    ("onions", "in early spring", 10, "firm soil in sun", "Stop watering once the tops fall over."),
    ("pumpkins", "in late spring", 120, "a sunny bed with compost", "Put straw under the fruits."),
    ("sunflowers", "in mid spring", 40, "full sun out of the wind", "Protect the young plants from slugs."),
    ("lavender", "in spring", 40, "poor dry soil in sun", "Trim it after flowering."),
    ("strawberries", "in late summer", 35, "a sunny raised bed", "Remove the runners you do not need."),
    ("kale", "in late spring", 45, "firm soil in sun", "Net it against pigeons."),
    ("tulips", "in late autumn", 12, "well drained soil in sun", "Let the leaves die back naturally."),
    ("mint", "in spring", 30, "a pot in half shade", "Keep the roots contained."),
    ("chives", "in spring", 20, "any sunny border", "Cut them down after flowering."),
    ("marigolds", "in late spring", 20, "a sunny edge", "Snip off faded blooms."),
    ("potatoes", "in mid spring", 35, "loose soil in sun", "Draw soil over the shoots."),
)
PLANT_ASKS = (
    ("When should I plant {0}?", "Plant {0} {1}, in {3}."),
    ("How far apart do {0} go?", "Leave about {2} centimetres between the plants."),
    ("Which spot suits {0}?", "They do best in {3}."),
    ("What should I watch for when growing {0}?", "{4} Start {1}."),
)

# from, to, how many of the second are in one of the first
UNITS = (
    ("kilometres", "metres", 1000.0),
    ("inches", "centimetres", 2.54),
    ("miles", "kilometres", 1.609344),
    ("pounds", "kilograms", 0.45359237),
    ("hours", "minutes", 60.0),
    ("feet", "metres", 0.3048),
    ("days", "hours", 24.0),
    ("ounces", "grams", 28.349523125),
    ("litres", "millilitres", 1000.0),
    ("yards", "metres", 0.9144),
    ("weeks", "days", 7.0),
)
AMOUNTS = (2, 3, 5, 8, 10, 12, 15, 25, 40, 75)
UNIT_ASKS = (
    "Convert {n} {a} to {b}.",
    "How many {b} are {n} {a}?",
    "What is {n} {a} in {b}?",
)

SUBJECTS = ("Anna", "The teacher", "My cousin", "Our guide", "The baker", "Peter", "The new clerk", "His aunt", "Maria")
ERRORS = (
    ("{s} don't like loud music.", "{s} doesn't like loud music.", "A singular subject takes doesn't."),
    ("{s} have went home.", "{s} has gone home.", "Use has with the participle gone."),
    ("{s} could of called.", "{s} could have called.", "After could comes have, not of."),
    ("{s} is taller then me.", "{s} is taller than me.", "Comparisons use than."),
    ("{s} speak very good.", "{s} speaks very well.", "The verb needs an s and an adverb."),
    ("{s} forgot there keys.", "{s} forgot their keys.", "Their shows possession."),
    ("{s} didn't saw nothing.", "{s} didn't see anything.", "Use the base form and a single negative."),
    ("{s} has less books than before.", "{s} has fewer books than before.", "Countable nouns take fewer."),
    ("{s} arrived in Monday.", "{s} arrived on Monday.", "Days take on."),
    ("{s} lay the letter down yesterday.", "{s} laid the letter down yesterday.", "The past of lay is laid."),
    ("{s} should to wait.", "{s} should wait.", "Modal verbs take no to."),
    ("{s} is interested about maps.", "{s} is interested in maps.", "Interested is followed by in."),
)
GRAMMAR_ASKS = ("Correct this: '{x}'", "Is this sentence right? '{x}'", "Fix the grammar: '{x}'", "Please check: '{x}'")

SYNONYMS = (
    ("happy", "glad, cheerful and joyful"),
    ("big", "large, huge and vast"),
    ("fast", "quick, rapid and swift"),
    ("begin", "start, commence and open"),
    ("brave", "bold, daring and fearless"),
    ("clever", "bright, smart and sharp"),
    ("tired", "weary, sleepy and drained"),
    ("angry", "cross, furious and irate"),
    ("small", "little, tiny and minute"),
    ("easy", "simple, effortless and light"),
    ("hard", "difficult, tough and tricky"),
    ("show", "display, present and reveal"),
    ("buy", "purchase, acquire and obtain"),
    ("quiet", "silent, still and hushed"),
    ("strange", "odd, peculiar and unusual"),
    ("finish", "end, complete and conclude"),
    ("beautiful", "lovely, attractive and gorgeous"),
    ("rich", "wealthy, affluent and prosperous"),
    ("old", "aged, ancient and elderly"),
    ("shout", "yell, cry and bellow"),
    ("help", "assist, aid and support"),
    ("funny", "amusing, comical and witty"),
    ("kind", "gentle, caring and considerate"),
    ("walk", "stroll, stride and wander"),
    ("choose", "pick, select and decide on"),
    ("wet", "damp, moist and soaked"),
    ("gift", "present, offering and donation"),
    ("mistake", "error, slip and fault"),
    ("house", "home, dwelling and residence"),
    ("road", "street, lane and route"),
    ("throw", "toss, hurl and fling"),
    ("calm", "peaceful, relaxed and serene"),
    ("dirty", "grubby, soiled and filthy"),
)
SYNONYM_ASKS = (
    ("Give me synonyms for '{0}'.", "You could use {1}."),
    ("What is another word for '{0}'?", "Other words are {1}."),
    ("I use '{0}' too often. Alternatives?", "Try {1}, depending on the sentence."),
)


def gardening_tips() -> list[Row]:
    """Answer questions on growing common plants."""
    pairs = crossed(PLANT_ASKS, PLANTS, len(PLANT_ASKS) * len(PLANTS))
    return [(ask.format(*plant), reply.format(*plant)) for (ask, reply), plant in pairs]


def unit_conversion() -> list[Row]:
    """Convert amounts between units; the figures are computed."""
    rows = []
    for i, ((a, b, factor), n) in enumerate(crossed(UNITS, AMOUNTS, len(UNITS) * len(AMOUNTS))):
        value = f"{round(n * factor, 2):,.2f}".rstrip("0").rstrip(".")
        exact = abs(round(n * factor, 2) - n * factor) < 1e-9
        reply = f"{n} {a} are {'' if exact else 'about '}{value} {b}."
        rows.append((UNIT_ASKS[i % len(UNIT_ASKS)].format(n=n, a=a, b=b), reply))
    return rows


def grammar() -> list[Row]:
    """Correct a sentence and name the rule."""
    rows = []
    for i, (subject, (wrong, right, rule)) in enumerate(crossed(SUBJECTS, ERRORS, len(SUBJECTS) * len(ERRORS))):
        ask = GRAMMAR_ASKS[(i + i // len(ERRORS)) % len(GRAMMAR_ASKS)]
        rows.append((ask.format(x=wrong.format(s=subject)), f"Write: '{right.format(s=subject)}' {rule}"))
    return rows


def synonyms() -> list[Row]:
    """Name words of similar meaning."""
    pairs = crossed(SYNONYM_ASKS, SYNONYMS, len(SYNONYM_ASKS) * len(SYNONYMS))
    return [(ask.format(*entry), reply.format(*entry)) for (ask, reply), entry in pairs]
