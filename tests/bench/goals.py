# SPDX-License-Identifier: GPL-2.0-or-later
"""The goals of speed, each against the worst that was measured: reached or missed, and where. None is left out."""

from report import NONE, NULL

PASS, REFUSE, ALONE, RULES = ('egressd, lets pass', 'egressd, refuses', 'egressd, refuses by uid',
                              "egressd's rules alone, refuse")
OPENSNITCH, SS = 'OpenSnitch, lets pass', 'ss -tnp, lets pass'
NEW = ('each', 'exec')


def place(cell):
    return f"{cell.population}{f', v{cell.family}' if cell.family else ''}, {cell.how}"


def against(report, form, hows, base, field='us', base_how=None, **wanted):
    """[(ratio, where)] of all populations."""
    found = []
    for cell in report.find(form=form, compared=False, **wanted):
        if cell.how in hows:
            ratio = report.ratio(cell, base, field, base_how)
            if ratio:
                found.append((ratio, place(cell)))
    return found


def growth(report):
    """Against 100 processes with as many descriptors; own and one uid alike."""
    found = []
    for cell in report.find(form=PASS, compared=False):
        small = f"100 × {cell.population.split(' × ')[1].split(',')[0]}"
        base = cell._replace(population=small)
        if cell.population != small and base in report.cells and cell.how != 'forks' and cell.how != 'php':
            mine, theirs = report.cells[cell].median(), report.cells[base].median()
            if mine and theirs:
                found.append((mine / theirs, place(cell)))
    return found


def faster(report, form, hows, population=None, who=PASS):
    """How many times faster than that form."""
    wanted = {'population': population} if population else {}
    return [(1 / ratio, where) for ratio, where in against(report, who, hows, form, **wanted)]


def line(text, limit, found, least=False, none='not measured in this run'):
    """least: the goal is at least the limit."""
    if not found:
        return f"{'-':8} {text:64} {limit:>8g} {'':>9} {none}"
    worst = (min if least else max)(found)
    good = worst[0] >= limit if least else worst[0] <= limit
    return f"{'reached' if good else 'MISSED':8} {text:64} {limit:>8g} {worst[0]:>9.2f} {worst[1]}"


def memory(report):
    return [(hwm / 1024, name) for name, found in report.memory.items() if name.startswith('10,000')
            for _, hwm in found]


def print_goals(report):
    extra = report.extra.get
    lines = [
        line('allow + attribute, one sender: time to null', 1.3, against(report, PASS, ['one'], NULL)),
        line('allow + attribute, one sender: CPU of the agent to null', 1.75, against(report, PASS, ['one'], NULL, 'cpu_us')),
        line('a new process for each connect: time to null', 2.3, against(report, PASS, NEW, NULL)),
        line('a new process for each connect: CPU of the agent to null', 3.6, against(report, PASS, NEW, NULL, 'cpu_us')),
        line('a new php, its script named: time to null', 4.0, against(report, PASS, ['php'], NULL)),
        line('a new php, its script named: CPU of the agent to null', 4.0, against(report, PASS, ['php'], NULL, 'cpu_us')),
        line('a new php: connects whose script was not named', 0,
             [(float(report.cells[cell].tally.nameless), place(cell)) for cell in report.find(form=PASS, how='php')]),
        line('refuse by uid alone: time to null, accepting', 0.65, against(report, ALONE, ['one'], NULL, user='www-data'),
             none='egressd has no setting that refuses by uid alone'),
        line("  (its rules alone, with egressd dead)", 0.65, against(report, RULES, ['one'], NULL, user='www-data')),
        line('refuse with the owner found while held: time to null, accepting', 1.3,
             against(report, REFUSE, ['one'], NULL, user='www-data')),
        line('growth from 100 to 10,000 processes, one uid and cgroup, too', 1.15, growth(report)),
        line('OpenSnitch, one sender: times faster', 15, faster(report, OPENSNITCH, ['one']), True),
        line('  (the null agent, which nobody who asks an agent can beat)', 15,
             faster(report, OPENSNITCH, ['one'], who=NULL), True),
        line('OpenSnitch, new process, 1,000: times faster', 30, faster(report, OPENSNITCH, NEW, '1,000 × 10'), True),
        line('OpenSnitch, new process, 10,000: times faster', 300, faster(report, OPENSNITCH, NEW, '10,000 × 10'), True),
        line('ss -tnp for each, 1,000: times faster', 1000, faster(report, SS, ['one'], '1,000 × 10'), True),
        line("Postfix's connect, accepted by the kernel and copied: to none", 1.1,
             against(report, REFUSE, ['one'], NONE, user='postfix')),
        line('flood by one refused uid: SYN lost', 0, extra('flood_lost')),
        line("flood: another uid's median to unloaded", 2.0, extra('flood_median')),
        line("flood: another uid's connects that were sent again", 0, extra('flood_again')),
        line('worst caller: descriptors read before the verdict', 64, extra('worst_fds')),
        line('fork + exit with the table on: to none', 1.10, against(report, PASS, ['forks'], NONE)),
        line("judge's memory at 10,000 processes at its greatest, MiB", 32, memory(report)),
    ]
    print(f"\n{'':8} {'goal (the worst of all populations, v4 and v6)':64} {'limit':>8} {'measured':>9} where\n"
          + '\n'.join(lines))
    for name, found in report.memory.items():
        print(f"  judge's memory at {name}: {max(rss for rss, _ in found) / 1024:.1f} MiB, at its greatest"
              f" {max(hwm for _, hwm in found) / 1024:.1f}")
    for text in report.extra.get('notes', []):
        print(f'  {text}')
