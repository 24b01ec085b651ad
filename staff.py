"""BIND: who does what. Each kind of activity with the ports it needs and no other; which queue its steps are on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import memory
from activities.actions import ActionActivities
from activities.approvals import ApprovalActivities
from activities.attention import AttentionActivities
from activities.back_testing import BackTester
from activities.content import ContentActivities
from activities.digest import DigestActivities
from activities.explaining import Explainer
from activities.exposing import Exposer
from activities.intake import Intake
from activities.learning import LearningActivities
from activities.licensing import Licensing
from activities.linking import Linking
from activities.measuring import Measurer
from activities.notifying import NotifyActivities
from activities.polling import PollActivities
from activities.refitting import Refitter
from activities.restocking import RestockActivities
from activities.rewording import Reworder
from activities.rollout import RolloutActivities
from activities.runs import RunActivities
from activities.shelf import ShelfWatch
from activities.stock import StockActivities
from activities.support import SupportActivities
from activities.upkeep import UpkeepActivities
from agents.auditor import Auditor
from agents.content_planner import ContentPlanner
from agents.executor import Executor
from agents.learner import Learner
from agents.recall_canary import Canary
from agents.stock_planner import StockPlanner
from agents.summariser import Summariser
from agents.support_planner import SupportPlanner
from connectors.apprise_notifier import AppriseNotifier
from connectors.fakes import InMemorySources
from domain.actions import Capability
from domain.ports import Analytics, Connector, IntentModels, Model, Notifier, Sources
from workflows import options

CONSOLE = "http://127.0.0.1:8400"
"""Where the console is, if nobody says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What touches the world: one connector a capability, what connected systems tell us, analytics, model, messages to you."""

    connectors: Mapping[Capability, Connector]
    analytics: Analytics
    model: Model
    intents: IntentModels
    sources: Sources = field(default_factory=InMemorySources)
    notifier: Notifier = field(default_factory=AppriseNotifier)
    console_url: str = CONSOLE


@dataclass(frozen=True, kw_only=True)
class Staff:
    """The activities, each kind with the ports it needs."""

    action: ActionActivities
    approval: ApprovalActivities
    run: RunActivities
    support: SupportActivities
    stock: StockActivities
    restock: RestockActivities
    content: ContentActivities
    rollout: RolloutActivities
    learning: LearningActivities
    upkeep: UpkeepActivities
    attention: AttentionActivities
    digest: DigestActivities
    poll: PollActivities
    notify: NotifyActivities


def staff(kept: memory.Memory, outside: Outside) -> Staff:
    log, state, policies = kept.log, kept.state, kept.policies
    common: dict[str, Any] = {"log": log, "state": state, "policies": policies}
    writing: dict[str, Any] = {"state": state, "policies": policies, "packs": kept.packs, "model": outside.model}
    licensing = Licensing(**common, flags=kept.flags)
    measurer, exposer = Measurer(log=log, state=state), Exposer(flags=kept.flags, log=log, state=state)
    planner = StockPlanner(state=state, policies=policies)
    return Staff(
        action=_action(kept, outside, licensing),
        approval=ApprovalActivities(log=log, state=state, learner=Learner(state=state), licensing=licensing, measurer=measurer),
        run=RunActivities(log=log, state=state, measurer=measurer, licensing=licensing),
        support=SupportActivities(**common, planner=SupportPlanner(**writing), exposer=exposer),
        stock=StockActivities(**common, planner=planner, exposer=exposer, measurer=measurer),
        restock=RestockActivities(log=log, state=state, units=Executor(connectors=outside.connectors).units),
        content=ContentActivities(
            planner=ContentPlanner(**writing),
            analytics=outside.analytics,
            log=log,
            policies=policies,
            exposer=exposer,
            measurer=measurer,
        ),
        rollout=RolloutActivities(log=log, state=state),
        learning=_learning(kept, outside, planner, measurer),
        upkeep=_upkeep(kept, outside),
        attention=AttentionActivities(**common),
        digest=DigestActivities(**common, guards=kept.guards),
        poll=_poll(kept, outside),
        notify=_notify(kept, outside),
    )


def _action(kept: memory.Memory, outside: Outside, licensing: Licensing) -> ActionActivities:
    return ActionActivities(
        log=kept.log,
        state=kept.state,
        policies=kept.policies,
        executor=Executor(connectors=outside.connectors),
        auditor=Auditor(state=kept.state, policies=kept.policies),
        ledger=kept.ledger,
        guards=kept.guards,
        licensing=licensing,
    )


def _learning(kept: memory.Memory, outside: Outside, planner: StockPlanner, measurer: Measurer) -> LearningActivities:
    return LearningActivities(
        log=kept.log,
        state=kept.state,
        policies=kept.policies,
        facts=kept.facts,
        flags=kept.flags,
        explainer=Explainer(model=outside.model),
        refitter=Refitter(models=outside.intents),
        reworder=Reworder(model=outside.model, state=kept.state),
        tester=BackTester(planner=planner),
        shelf=ShelfWatch(measurer=measurer, state=kept.state),
    )


def _upkeep(kept: memory.Memory, outside: Outside) -> UpkeepActivities:
    return UpkeepActivities(
        log=kept.log,
        state=kept.state,
        policies=kept.policies,
        anchors=kept.anchors,
        archive=kept.archive,
        leftovers=kept.leftovers,
        summariser=Summariser(log=kept.log, state=kept.state, policies=kept.policies, model=outside.model),
        canary=Canary(recall=kept.recall, passages=kept.passages),
        recall=kept.recall,
        inbox=kept.inbox,
    )


def _poll(kept: memory.Memory, outside: Outside) -> PollActivities:
    return PollActivities(
        sources=outside.sources,
        cursors=kept.cursors,
        intake=Intake(inbox=kept.inbox, log=kept.log, state=kept.state),
        log=kept.log,
        state=kept.state,
    )


def _notify(kept: memory.Memory, outside: Outside) -> NotifyActivities:
    return NotifyActivities(
        log=kept.log,
        state=kept.state,
        notifier=outside.notifier,
        linking=Linking(links=kept.links, state=kept.state),
        console_url=outside.console_url,
    )


def queues(s: Staff) -> dict[str, list[Any]]:
    """Every activity on the queue of its kind of work."""
    return {
        options.ORCHESTRATION: [
            *(s.approval.request_approval, s.approval.record_decision, s.approval.conclude_decision),
            *(s.approval.record_refused_decision, s.approval.remind, s.approval.end_approval),
            *(s.action.settle_by_operator, s.action.effects_to_undo),
            *(s.run.start_run, s.run.finish_run, s.run.await_end, s.run.record_reverted, s.run.alert, s.run.record_outcome),
            *(s.digest.write_digest, s.support.close_ticket, s.support.hand_over, s.stock.check_deliveries),
            *(s.upkeep.verify_log, s.upkeep.archive_month, s.upkeep.check_recall, s.upkeep.record_upkeep),
            *(s.upkeep.blank_deliveries, s.rollout.judge_rollout, s.attention.attend, s.notify.admit_undelivered),
            *(s.restock.find_arrivals, s.restock.give_up),
        ],
        options.MODEL_CALLS: [
            *(s.support.plan_turn, s.support.plan_follow_up, s.stock.plan_stock, s.upkeep.summarise),
            *(s.content.choose_topics, s.content.write_page, s.content.measure_page),
            *(s.learning.measure_shelf, s.learning.find_failures, s.learning.propose_changes, s.learning.report_learning),
        ],
        options.CONNECTORS: [
            *(s.poll.poll, s.restock.plan_restock),
            *(s.action.propose, s.action.carry_out, s.action.reconcile, s.action.undo),
            *(s.notify.notify, s.notify.send_digest),
        ],
    }
