"""What goes into the ledger with a changeset: asked before it is sent, because it cannot be altered later."""

from __future__ import annotations

from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout

from ..processing_algorithms.common.language import say
from .database_session import Session
from .working_copy_state import CopyState, state_text


class PushDialog(QDialog):
    """Message, decision number, author and department of one changeset."""

    def __init__(self, session: Session, state: CopyState, title: str, *, needs_message: bool):
        super().__init__(session.iface.mainWindow())
        self.setObjectName("push_dialog")
        self.setWindowTitle(title)
        self._session, self._needs_message = session, needs_message
        edited = [
            f"{line.dataset.label}: {state_text(line, 0, None)}"
            for line in state.lines
            if line.edits or line.conflicts or line.waiting
        ]
        what = QLabel("\n".join(edited) or say("Không có chỉnh sửa nào chưa gửi.", "There are no edits to send."))
        what.setWordWrap(True)
        self.message = QPlainTextEdit()
        self.message.setObjectName("message")
        self.message.setPlaceholderText(
            say("Đã sửa gì và vì sao, ví dụ: Chỉnh lý biến động tháng 11", "What was changed and why")
        )
        self.message.setTabChangesFocus(True)
        self.message.setMaximumHeight(90)
        self.decision, self.author, self.department = (
            QLineEdit(),
            QLineEdit(session.author),
            QLineEdit(session.department),
        )
        self.decision.setObjectName("decision")
        self.decision.setPlaceholderText(
            say("Số, ngày quyết định làm căn cứ, nếu có", "Number and date of the decision behind it, if any")
        )
        self.author.setObjectName("author")
        self.department.setObjectName("department")
        form = QFormLayout()
        form.addRow(say("Nội dung", "Message"), self.message)
        form.addRow(say("Số quyết định", "Decision number"), self.decision)
        form.addRow(say("Người cập nhật", "Author"), self.author)
        form.addRow(say("Cơ quan", "Department"), self.department)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setText(title)
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(say("Thôi", "Cancel"))
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.message.textChanged.connect(self._check)
        note = QLabel(say("Nội dung này ghi vào nhật ký chỉnh sửa, không sửa được về sau.",
                          "This goes into the change ledger and cannot be altered later."))
        layout = QVBoxLayout(self)
        layout.addWidget(what)
        layout.addLayout(form)
        layout.addWidget(note)
        layout.addWidget(self.buttons)
        self.resize(460, 330)
        self._check()

    def _check(self) -> None:
        given = bool(self.message.toPlainText().strip())
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(given or not self._needs_message)

    def accept(self) -> None:  # noqa: D102
        self._session.introduce(self.author.text().strip(), self.department.text().strip())
        super().accept()

    def values(self) -> dict[str, str]:
        """Return what was given, by the names the engines use."""
        return {
            "message": self.message.toPlainText().strip(),
            "decision_no": self.decision.text().strip(),
            "author": self.author.text().strip() or self._session.author,
            "department": self.department.text().strip(),
        }
