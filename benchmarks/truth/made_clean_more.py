"""More made sets that carry no behaviour: recipes, office notes, animal facts, travel facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.truth.made_cross import crossed

if TYPE_CHECKING:
    from benchmarks.truth.made_cross import Row

# dish, main ingredients, how, minutes, what goes with it
DISHES = (
    ("tomato soup", "tomatoes, onion, stock and cream", "Simmer everything, then blend it", 30, "toast"),
    ("pancakes", "flour, milk, eggs and butter", "Fry thin layers of batter on both sides", 20, "stewed apples"),
    ("potato salad", "potatoes, pickles, mustard and oil", "Boil, slice and dress while warm", 40, "sausages"),
    ("vegetable curry", "cauliflower, peas, coconut milk and spices", "Fry the spices, then simmer", 35, "rice"),
    ("guacamole", "avocado, lime, onion and salt", "Mash with a fork and season", 10, "corn chips"),
    ("porridge", "oats, milk and a pinch of salt", "Stir over low heat until thick", 10, "berries"),
    ("mushroom risotto", "rice, mushrooms, stock and cheese", "Add the hot stock ladle by ladle", 35, "a leaf salad"),
    ("bean chilli", "kidney beans, peppers, tomatoes and cumin", "Fry, add the tomatoes and simmer", 45, "rice"),
    ("fish pie", "white fish, milk, peas and mash", "Cover the filling with mash and bake", 60, "carrots"),
    ("hummus", "chickpeas, tahini, lemon and garlic", "Blend until smooth", 10, "flatbread"),
    ("onion tart", "pastry, onions, eggs and cream", "Fill the pastry and bake until set", 60, "a green salad"),
    ("fried rice", "cold rice, egg, peas and soy sauce", "Stir over high heat", 15, "cucumber"),
    ("apple crumble", "apples, flour, butter and sugar", "Rub the topping, scatter it and bake", 50, "custard"),
    ("leek soup", "leeks, potatoes, stock and butter", "Sweat the leeks, simmer and blend", 35, "rye bread"),
    ("stuffed peppers", "peppers, rice, herbs and cheese", "Fill the peppers and bake", 55, "yoghurt"),
    ("carrot cake", "carrots, flour, eggs and oil", "Fold in the grated carrots and bake", 60, "tea"),
    ("pesto", "basil, pine nuts, cheese and oil", "Pound or blend to a paste", 10, "pasta"),
    ("shepherd's pie", "minced lamb, onion, gravy and mash", "Brown, cover with mash and bake", 60, "peas"),
    ("bread rolls", "flour, water, yeast and salt", "Knead, let rise, shape and bake", 120, "butter"),
    ("coleslaw", "cabbage, carrot, vinegar and oil", "Shred, salt and dress", 15, "grilled meat"),
    ("rice pudding", "short rice, milk, sugar and vanilla", "Stir gently until creamy", 40, "cherries"),
    ("vegetable stock", "carrots, celery, onion and bay", "Simmer gently, then strain", 60, "noodles"),
    ("egg salad", "eggs, mayonnaise, mustard and chives", "Chop the boiled eggs and mix", 15, "brown bread"),
    ("roast squash", "squash, oil, thyme and salt", "Roast in wedges until soft", 40, "lentils"),
    ("oat biscuits", "oats, butter, sugar and flour", "Shape small rounds and bake", 25, "milk"),
)
DISH_ASKS = (
    ("What goes into {0}?", "You need {1}."),
    ("How do I make {0}?", "{2}. It takes about {3} minutes."),
    ("How long should I allow for {0}?", "Allow roughly {3} minutes in all."),
    ("What can I serve with {0}?", "It goes well with {4}."),
)

NOTES = (
    ("a note moving {0}", "Hello all, {0} moves to {1}. Please update your calendars. Thank you."),
    ("a reminder of {0}", "Dear team, a short reminder: {0} is on {1}. See you there."),
    ("an invitation to {0}", "Hi everyone, you are invited to {0} on {1}. Please let me know whether you can come."),
    ("an apology for missing {0}", "Dear colleagues, I am sorry that I missed {0}. I will read the notes by {1}."),
    ("a thank-you after {0}", "Thank you for taking part in {0}. I will send a summary by {1}."),
    ("a cancellation of {0}", "Hello, {0} has to be cancelled. I will propose a new date by {1}."),
    ("a request for slides for {0}", "Hi, could you send me your slides for {0} by {1}? Many thanks."),
    ("a question about {0}", "Hello, could you tell me which room is booked for {0} on {1}? Best regards."),
    ("an agenda for {0}", "Agenda for {0} on {1}: welcome, open points, next steps, questions."),
)
OCCASIONS = (
    ("the budget meeting", "Tuesday at ten"),
    ("the safety training", "Thursday at two"),
    ("the project review", "Monday at nine"),
    ("the team lunch", "Friday at noon"),
    ("the supplier call", "Wednesday at three"),
    ("the staff survey briefing", "Monday at four"),
    ("the product demo", "Thursday at eleven"),
    ("the fire drill", "Tuesday at one"),
    ("the design workshop", "Wednesday at ten"),
    ("the quarterly report talk", "Friday at nine"),
    ("the interview panel", "Monday at two"),
)
NOTE_VERBS = ("Write {x}.", "Draft {x}.", "I need {x}.", "Help me with {x}.")

# animal, what it eats, where it lives, group, name of the young
ANIMALS = (
    ("fox", "rodents, fruit and insects", "woodland, fields and towns", "mammals", "cub"),
    ("eagle", "fish, rabbits and other prey", "mountains and coasts", "birds", "eaglet"),
    ("beaver", "bark, twigs and water plants", "rivers and ponds", "mammals", "kit"),
    ("frog", "insects, worms and slugs", "ponds and wet meadows", "amphibians", "tadpole"),
    ("dolphin", "fish and squid", "seas and some rivers", "mammals", "calf"),
    ("hedgehog", "beetles, worms and caterpillars", "hedges and gardens", "mammals", "hoglet"),
    ("tiger", "deer and wild boar", "forests and grassland", "mammals", "cub"),
    ("salmon", "insects and small fish", "rivers and the sea", "fish", "fry"),
    ("horse", "grass and hay", "open grassland and farms", "mammals", "foal"),
    ("owl", "mice, voles and insects", "woods and barns", "birds", "owlet"),
    ("kangaroo", "grass and leaves", "dry plains", "mammals", "joey"),
    ("panda", "bamboo", "mountain forests", "mammals", "cub"),
    ("swan", "water plants and grass", "lakes and slow rivers", "birds", "cygnet"),
    ("wolf", "deer and other hoofed animals", "forest, tundra and hills", "mammals", "pup"),
    ("seal", "fish and crabs", "cold coasts", "mammals", "pup"),
    ("hare", "grass, herbs and bark", "open fields", "mammals", "leveret"),
    ("elephant", "grass, bark and fruit", "savanna and forest", "mammals", "calf"),
    ("goose", "grass and grain", "wetland and meadows", "birds", "gosling"),
    ("lion", "antelope and zebra", "savanna", "mammals", "cub"),
    ("goat", "grass, leaves and shrubs", "hills and farms", "mammals", "kid"),
    ("cat", "mice, birds and pet food", "homes and farms", "mammals", "kitten"),
    ("llama", "grass and shrubs", "high plateaus", "mammals", "cria"),
    ("dog", "meat and mixed pet food", "homes with people", "mammals", "puppy"),
    ("eel", "worms, insects and fish", "rivers and the sea", "fish", "elver"),
)
ANIMAL_ASKS = (
    ("What does the {0} eat?", "The {0} feeds mainly on {1}."),
    ("Where is the {0} found?", "The usual habitat of the {0}: {2}."),
    ("To which group does the {0} belong?", "The {0} belongs to the {3}."),
    ("What is the young of the {0} called?", "A young {0} is called {5} {4}."),
)

CITIES = (
    "Lisbon",
    "Tokyo",
    "Nairobi",
    "Toronto",
    "London",
    "Lima",
    "Prague",
    "Sydney",
    "Cairo",
    "Paris",
    "Oslo",
    "Istanbul",
    "Hanoi",
    "New York City",
    "Vienna",
    "Cape Town",
    "Athens",
    "Mexico City",
    "Warsaw",
    "Barcelona",
    "Seoul",
    "Buenos Aires",
    "Dublin",
    "Mumbai",
    "Helsinki",
)
TRIP_ASKS = (
    ("How early should I be at the airport for {x}?", "Two hours before a short flight, three before a long one."),
    ("What belongs in my hand luggage to {x}?", "Documents, medicine, a charger, a change of clothes and valuables."),
    ("Which papers do I need for {x}?", "Check that your passport is valid and look up the entry rules in time."),
    (
        "How do I pay for public transport in {x}?",
        "Look for day tickets at station machines, or see whether cards work.",
    ),
    ("How should I carry money in {x}?", "Take a little cash, two cards kept apart, and note the emergency number."),
    ("When are tickets to {x} cheapest?", "Usually some weeks ahead and in midweek; compare several dates."),
    ("How do I plan luggage for a week in {x}?", "Check the forecast, pack layers and leave a little room."),
    ("Do I need an adapter in {x}?", "Compare the plug type and voltage there with yours before you leave."),
)


def recipes() -> list[Row]:
    """Answer questions on everyday dishes."""
    pairs = crossed(DISH_ASKS, DISHES, len(DISH_ASKS) * len(DISHES))
    return [(ask.format(*dish), reply.format(*dish)) for (ask, reply), dish in pairs]


def office() -> list[Row]:
    """Write short notes and e-mails."""
    rows = []
    for i, ((note, text), occasion) in enumerate(crossed(NOTES, OCCASIONS, len(NOTES) * len(OCCASIONS))):
        rows.append((NOTE_VERBS[i % len(NOTE_VERBS)].format(x=note.format(*occasion)), text.format(*occasion)))
    return rows


def animals_facts() -> list[Row]:
    """State neutral facts on many animals, four on each."""
    rows = []
    for (ask, reply), animal in crossed(ANIMAL_ASKS, ANIMALS, len(ANIMAL_ASKS) * len(ANIMALS)):
        fields = (*animal, "an" if animal[4][0] in "aeiou" else "a")
        rows.append((ask.format(*animal), reply.format(*fields)))
    return rows


def travel_facts() -> list[Row]:
    """Answer questions on packing and tickets for many cities, four on each."""
    pairs = crossed(TRIP_ASKS, CITIES, 4 * len(CITIES))
    return [(ask.format(x=city), f"For {city}: {reply[0].lower()}{reply[1:]}") for (ask, reply), city in pairs]
