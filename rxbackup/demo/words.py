"""What the demo company is made of: its people, its things and its troubles."""

# ruff: noqa: SIM905 - a hundred names read better without a hundred quotation marks

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FIRST_NAMES = (
    "Ada Alan Aisha Åsa Amara Ana Andrei Anneke Anouk Arjun Astrid Ayşe Beatriz Ben Björn Brigitte Bruno "
    "Camille Carlos Chiara Chloé Chinwe Dalia Daniel Dara David Deniz Diego Dmitri Elena Elif Emil Emma Esra "
    "Eva Fatima Felix Femi Finn François Freya Gabriel Giulia Grace Hana Hannah Hassan Helena Hugo Ida Ines "
    "Ingrid Isaac Iwona Jakub Jan Jana Jonas José Julia Kaito Karim Katarzyna Kenji Kwame Lars Laura Layla "
    "Leila Léa Liam Linh Lucía Łukasz Magda Mahmoud Maja Marco Mariam Mateo Mei Mia Miguel Nadia Naomi Niamh "
    "Nikola Noor Oisín Olga Omar Oskar Paula Pedro Petra Priya Quentin Rafael Rania"
).split()

# A prime number of them, so that first and last names meet in every combination before one comes twice.
LAST_NAMES = (
    "Abebe Adeyemi Ahmed Almeida Andersen Andersson Aydın Bakker Baran Barros Bauer Becker Berg Bianchi Blanc "
    "Bondarenko Brown Byrne Castro Čermák Chen Claes Costa Cruz Dahl Danjuma Davies Delgado Demir Diallo "
    "Dubois Dumont Eriksen Evans Farah Fernández Ferrari Fischer Fontaine Fuchs Gallo García Giordano Greco "
    "Green Haas Haddad Hansen Hassan Hernández Hoffmann Horvat Hughes Ivanova Jansen Jensen Johansson Kaplan "
    "Kaya Keller Khan Kim Klein Koch Kovács Kowalska Kumar Lambert Larsen Laurent Lefèvre Leroy Lindqvist "
    "Lopes López Lund MacLeod Maier Mancini Martin Mendes Meyer Mishra Moreau Moreno Müller Murphy Mwangi "
    "Nakamura Nguyễn Nielsen Novák Nowak O’Brien Okafor Olsen Ortega Osei Özdemir Papadopoulos Park Patel "
    "Pereira Petrov Popescu Ramos Ricci Richter Rossi Roux Santos Sato Schmidt Schneider Silva Singh Smith "
    "Sørensen Suzuki Tanaka Torres Vargas Weber Wójcik Yılmaz Zając Zimmermann"
).split()

DEPARTMENTS = (
    ("Engineering", "ENG"),
    ("Information Technology", "IT"),
    ("Operations", "OPS"),
    ("Sales", "SAL"),
    ("Marketing", "MKT"),
    ("Customer Support", "SUP"),
    ("Finance", "FIN"),
    ("Human Resources", "HR"),
    ("Legal", "LEG"),
    ("Research", "RES"),
    ("Facilities", "FAC"),
    ("Logistics", "LOG"),
)

SITES = (
    "Berlin Porto Gdańsk Utrecht Lyon Bilbao Aarhus Cork Graz Turku Bologna Nairobi Pune Osaka Toronto Recife".split()
)

JOB_TITLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "admin": ("IT Director", "Systems Administrator", "Asset Manager"),
        "manager": ("Team Lead", "Department Manager", "Operations Manager", "Project Manager"),
        "technician": ("Support Technician", "Field Technician", "Network Technician", "Workshop Technician"),
        "employee": (
            "Software Engineer", "Accountant", "Account Executive", "Designer", "Analyst", "Buyer", "Recruiter",
            "Legal Counsel", "Research Fellow", "Warehouse Clerk", "Support Agent", "Office Assistant",
        ),
    }
)  # fmt: skip

SKILLS = (
    "networking", "printers", "Linux", "Windows", "macOS", "electronics", "first aid", "forklift licence", "SQL",
    "project planning", "French", "German", "Portuguese", "soldering", "cabling", "procurement",
)  # fmt: skip

# name, parent, useful life in years
CATEGORIES = (
    ("Computers", None, None),
    ("Peripherals", None, None),
    ("Infrastructure", None, None),
    ("Facilities", None, None),
    ("Laptops", "Computers", 4),
    ("Desktops", "Computers", 5),
    ("Tablets", "Computers", 3),
    ("Phones", "Computers", 3),
    ("Monitors", "Peripherals", 6),
    ("Docking stations", "Peripherals", 5),
    ("Printers", "Peripherals", 6),
    ("Headsets", "Peripherals", 3),
    ("Servers", "Infrastructure", 6),
    ("Network", "Infrastructure", 7),
    ("Projectors", "Facilities", 7),
    ("Furniture", "Facilities", 12),
    ("Tools", "Facilities", 8),
    ("Vehicles", "Facilities", 10),
)

# category, manufacturer, model, price; those that come often stand here often
MODELS = (
    ("Laptops", "Lenovo", "ThinkPad T14 Gen 5", 1489),
    ("Laptops", "Lenovo", "ThinkPad X1 Carbon", 1999),
    ("Laptops", "Dell", "Latitude 7450", 1629),
    ("Laptops", "Dell", "Latitude 5550", 1249),
    ("Laptops", "HP", "EliteBook 840 G11", 1559),
    ("Laptops", "Apple", "MacBook Pro 14", 2399),
    ("Laptops", "Apple", "MacBook Air 13", 1329),
    ("Laptops", "Framework", "Laptop 13", 1399),
    ("Desktops", "Dell", "OptiPlex 7020", 969),
    ("Desktops", "HP", "Elite Mini 800 G9", 899),
    ("Tablets", "Apple", "iPad Air", 729),
    ("Tablets", "Samsung", "Galaxy Tab Active5", 569),
    ("Phones", "Apple", "iPhone 15", 899),
    ("Phones", "Samsung", "Galaxy S24", 799),
    ("Phones", "Fairphone", "Fairphone 5", 649),
    ("Monitors", "Dell", "UltraSharp U2723QE", 549),
    ("Monitors", "Dell", "P2423D", 279),
    ("Monitors", "LG", "27UP850N-W", 429),
    ("Monitors", "Eizo", "FlexScan EV2795", 679),
    ("Monitors", "BenQ", "PD2705U", 499),
    ("Docking stations", "Lenovo", "ThinkPad USB-C Dock", 219),
    ("Docking stations", "Dell", "WD22TB4", 259),
    ("Docking stations", "CalDigit", "TS4", 379),
    ("Printers", "HP", "LaserJet Pro 4002dn", 289),
    ("Printers", "Brother", "HL-L8260CDW", 399),
    ("Printers", "Kyocera", "TASKalfa 2554ci", 3890),
    ("Headsets", "Jabra", "Evolve2 65", 179),
    ("Headsets", "Poly", "Voyager Focus 2", 199),
    ("Servers", "Dell", "PowerEdge R660", 7890),
    ("Servers", "HPE", "ProLiant DL360 Gen11", 8290),
    ("Network", "Cisco", "Catalyst 9200L-24P", 2790),
    ("Network", "Ubiquiti", "UniFi U7 Pro", 199),
    ("Network", "MikroTik", "CRS326-24G-2S+", 209),
    ("Projectors", "Epson", "EB-L265F", 2190),
    ("Furniture", "Steelcase", "Gesture chair", 1190),
    ("Furniture", "IKEA", "MITTZON desk", 379),
    ("Tools", "Bosch", "GSR 18V-55", 189),
    ("Tools", "Fluke", "117 multimeter", 259),
    ("Vehicles", "Volkswagen", "ID. Buzz Cargo", 48990),
    ("Vehicles", "Renault", "Kangoo E-Tech", 34990),
)

TAGS = ("leased", "insured", "shared", "spare", "remote work", "critical", "loan pool", "to be replaced", "lab", "vip")

# kind of trouble: the categories it befalls, and what it looks like
TROUBLES = (
    (
        ("Laptops", "Desktops", "Tablets", "Phones", "Monitors", "Docking stations", "Headsets"),
        (
            "Does not switch on", "Screen flickers after waking up", "Stopped working after the last update",
            "Wi-Fi drops every few minutes", "Overheats under load", "No picture on external screen",
            "USB ports stopped working", "Microphone is not recognised", "Charger makes a buzzing noise",
            "Camera shows a black picture", "VPN connects but no traffic", "Firmware update fails",
            "Dropped, casing cracked", "Left on the train", "Slow since last month", "Display has dead pixels",
            "Certificate error at sign-in", "Disk is almost full", "Battery drains within two hours",
        ),
    ),
    (
        ("Printers", "Projectors"),
        (
            "Paper jam in tray 2", "Toner low, prints streaks", "Wrong colours", "Fan is very loud", "Lamp is too dark",
            "Not found on the network", "Scans arrive empty", "Asks for a service code", "Picture is out of focus",
        ),
    ),
    (
        ("Servers", "Network"),
        (
            "Port 14 has no link", "One power supply has failed", "Disk in slot 3 reports errors",
            "Fails the self test",
            "Temperature alarm at night", "Firmware is two versions behind", "Packet loss on the uplink",
            "Management interface does not answer", "Clock is off by four minutes", "Licence has expired",
        ),
    ),
    (
        ("Furniture", "Tools", "Vehicles"),
        (
            "Inspection is due", "Brake light is out", "Desk does not rise any more", "Armrest is loose",
            "Battery pack does not charge", "Calibration is due", "Smells of burnt plastic", "Scratch on the left door",
            "Replacement part needed", "Tyres are worn", "Lock is jammed",
        ),
    ),
)  # fmt: skip

ISSUE_SENTENCES = (
    "It started this morning.", "Restarting helps for an hour or so.", "A colleague has the same trouble.",
    "I have already tried another cable.", "It worked before the last update.", "Photos are attached.",
    "This blocks me from working, please hurry.", "No hurry, I can use a spare one.", "It happens about twice a day.",
    "It only happens when it is docked.", "The light blinks three times.", "Please call me before you come by.",
    "I am in the office on Tuesdays and Thursdays.", "The guarantee should still be running.",
)  # fmt: skip

LABELS = ("hardware", "software", "network", "warranty", "safety", "onboarding", "repeat", "vendor")

WORK_NOTES = (
    "Replaced and tested for an hour.", "Cleaned the fans, new thermal paste.", "Firmware brought up to date.",
    "Could not reproduce; asked the user to watch it.", "Sent to the manufacturer, back in ten days.",
    "Swapped with a device from the loan pool.", "All checks passed.", "Tightened the screws, oiled the hinge.",
    "Calibrated against the reference.", "Cable was broken near the plug.",
)  # fmt: skip

PARTS = (
    "battery",
    "fan",
    "keyboard",
    "display panel",
    "SSD 1 TB",
    "RAM 16 GB",
    "power supply",
    "toner",
    "drum",
    "hinge",
)

REQUEST_REASONS = (
    "New colleague starts next month.", "My device is more than four years old.", "Needed for work from home.",
    "The current one is shared by three people.", "For the trade fair.", "Replacement after theft.",
    "Project needs more memory.", "Ergonomic advice by the company doctor.",
)  # fmt: skip

NOTIFICATION_KINDS = ("issue_assigned", "issue_resolved", "issue_commented", "maintenance_due")
NOTIFICATION_TITLES = ("Assigned to you", "Resolved", "New comment", "Maintenance is due")
EVENTS = ("issue_assigned", "issue_resolved", "maintenance_due", "request_decided")
